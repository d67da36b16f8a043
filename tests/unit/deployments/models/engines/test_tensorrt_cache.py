from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deployments.models.engines.cuda_device import CudaDevice
from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.tensorrt_cache import (
    EngineKey,
    ShapeRange,
    provider_options,
    shape_ranges,
    shapes_of,
)

FLOAT = np.dtype(np.float32)
RANGE = ShapeRange(name="images", least=(1, 3, 640, 640), best=(16, 3, 640, 640), most=(16, 3, 640, 640))
L4 = CudaDevice(name="NVIDIA L4", compute_capability="8.9")
KEY = EngineKey(
    weights_sha256="ab" * 32,
    ranges=(RANGE,),
    precision="fp16",
    device=L4,
    tensorrt_version=101300,
    onnxruntime_version="1.31.1",
)


def images(*shape: int | None) -> TensorSpec:
    return TensorSpec(name="images", shape=shape, dtype=FLOAT)


def test_an_open_batch_goes_up_to_the_largest_and_open_sizes_are_the_packages() -> None:
    assert shape_ranges([images(None, 3, None, None)], (640, 640), 16) == (RANGE,)


def test_what_the_graph_fixes_is_fixed() -> None:
    (found,) = shape_ranges([images(4, 3, 320, 320)], (640, 640), 16)
    assert found.least == found.best == found.most == (4, 3, 320, 320)


@pytest.mark.parametrize(("spec", "axis"), [(images(None, 3, None, 640), 2), (images(None, None), 1)])
def test_an_axis_that_nothing_explains_is_named(spec: TensorSpec, axis: int) -> None:
    with pytest.raises(ValueError, match=f"axis {axis} of input 'images' has no fixed length"):
        shape_ranges([spec], None, 16)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, weights_sha256="cd" * 32),
        replace(KEY, ranges=(replace(RANGE, most=(8, 3, 640, 640)),)),
        replace(KEY, precision="fp32"),
        replace(KEY, device=replace(L4, name="NVIDIA A10")),
        replace(KEY, device=replace(L4, compute_capability="8.6")),
        replace(KEY, tensorrt_version=101200),
        replace(KEY, onnxruntime_version="1.30.0"),
    ],
)
def test_an_engine_for_anything_else_lies_elsewhere(other: EngineKey) -> None:
    assert other.digest != KEY.digest
    assert replace(KEY).digest == KEY.digest


def test_the_folder_says_what_its_engine_was_built_for(tmp_path: Path) -> None:
    folder = KEY.make_folder(tmp_path)
    assert folder == KEY.make_folder(tmp_path)
    said = json.loads((folder / "built-for.json").read_text())
    assert (said["device"]["name"], said["precision"]) == ("NVIDIA L4", "fp16")


def test_options_name_the_folder_the_shapes_and_the_precision(tmp_path: Path) -> None:
    options = provider_options(tmp_path, (RANGE, replace(RANGE, name="masks")), "fp16", 1)
    assert options["trt_profile_min_shapes"] == "images:1x3x640x640,masks:1x3x640x640"
    assert options["trt_profile_max_shapes"] == "images:16x3x640x640,masks:16x3x640x640"
    assert (options["trt_engine_cache_path"], options["trt_fp16_enable"], options["trt_int8_enable"]) == (
        str(tmp_path),
        True,
        False,
    )


def test_shapes_are_read_back_from_the_options(tmp_path: Path) -> None:
    options = provider_options(tmp_path, (replace(RANGE, name="model:images"),), "fp32", 0)
    assert shapes_of(options) == [{"model:images": (1, 3, 640, 640)}, {"model:images": (16, 3, 640, 640)}]
