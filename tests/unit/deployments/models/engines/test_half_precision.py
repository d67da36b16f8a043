from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose
from onnx import TensorProto, helper

from deployments.models.engines.half_precision import HalfPrecisionError, to_half_precision
from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.settings import EngineSettings

RANDOM = np.random.default_rng(7)
WEIGHTS = RANDOM.normal(size=(16, 8)).astype(np.float32)


def write_matrix_graph(path: Path) -> Path:
    """`y` = `x` (b, 16) times WEIGHTS."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "matrix",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", 8])],
        [onnx.numpy_helper.from_array(WEIGHTS, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def test_weights_are_halved_and_inputs_and_outputs_stay(tmp_path: Path) -> None:
    network = onnx.load_from_string(to_half_precision(write_matrix_graph(tmp_path / "weights.onnx")))
    assert {tensor.data_type for tensor in network.graph.initializer} == {TensorProto.FLOAT16}
    ends = (*network.graph.input, *network.graph.output)
    assert {node.type.tensor_type.elem_type for node in ends} == {TensorProto.FLOAT}


def test_what_it_computes_is_that_of_numpy_within_half_precision(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(
        to_half_precision(write_matrix_graph(tmp_path / "weights.onnx")), EngineSettings(device="cpu")
    )
    x = RANDOM.normal(size=(3, 16)).astype(np.float32)
    # sums of 16 products of numbers of about 1, each with 11 significant bits
    assert_allclose(engine.run({"x": x})["y"], x.astype(np.float64) @ WEIGHTS, atol=16 * 2**-9)


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.onnx"
    path.write_bytes(b"not a network at all")
    with pytest.raises(HalfPrecisionError, match=r"weights\.onnx does not convert"):
        to_half_precision(path)
