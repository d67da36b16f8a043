from dataclasses import replace

import numpy as np

from deployments.ingress.kserve.descriptions import (
    batch_limit,
    model_config,
    model_metadata,
    repository_index,
)
from deployments.ingress.kserve.model_names import AskedModel
from deployments.models.engines.engine import TensorSpec
from deployments.models.registry import ModelRow
from tests.unit.deployments.fake_backend import DOUBLING

ASKED = AskedModel(name="plates", version="1")
FIXED = replace(DOUBLING, inputs=(TensorSpec(name="x", shape=(2, 3), dtype=np.dtype(np.int64)),))


def test_open_axes_are_minus_one_in_metadata():
    assert model_metadata(ASKED, DOUBLING) == {
        "name": "plates",
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "twice", "datatype": "FP32", "shape": [-1, 2]}],
    }


def test_the_configuration_leaves_the_batch_out_of_the_shapes():
    config = model_config(ASKED, DOUBLING)
    assert config["max_batch_size"] == 4
    assert config["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [2]}]


def test_a_network_with_a_fixed_first_axis_has_no_batch():
    config = model_config(ASKED, FIXED)
    assert (config["max_batch_size"], config["input"]) == (
        0,
        [{"name": "x", "data_type": "TYPE_INT64", "dims": [2, 3]}],
    )


def test_a_batch_that_nobody_limits_is_said_to_be_64():
    assert batch_limit(replace(DOUBLING, max_batch_size=None)) == 64


def test_loaded_models_are_ready():
    row = ModelRow(model_id="plates/2", task_type="object-detection", batch_size=None, input_height=1, input_width=1)
    assert repository_index([row]) == [{"name": "plates", "version": "2", "state": "READY", "reason": ""}]
    assert repository_index([]) == []
