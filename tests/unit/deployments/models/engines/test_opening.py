from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deployments.models.engines.cuda_device import tensorrt_version
from deployments.models.engines.opening import open_engine, weights_for
from deployments.models.package import read_package
from deployments.settings import EngineSettings, Precision
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_constant_detector,
    write_package,
    yolov8_output,
)

HAS_CUDA = "CUDAExecutionProvider" in ort.get_available_providers()


def test_weights_on_disk_are_run_here(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    write_add_graph(folder / "weights.onnx")
    engine = open_engine(read_package(folder), EngineSettings(device="cpu"))
    assert_array_equal(engine.run({"x": np.ones((1, 2), dtype=np.float32)})["twice"], [[2, 2]])


@pytest.mark.parametrize(
    ("precision", "name"), [("fp32", "weights.onnx"), ("fp16", "weights.fp16.onnx"), ("int8", "weights.int8.onnx")]
)
def test_the_precision_asked_for_picks_the_weights(tmp_path: Path, precision: Precision, name: str) -> None:
    folder = write_package(tmp_path / "a" / "1")
    for other in ("weights.fp16.onnx", "weights.int8.onnx"):
        write_add_graph(folder / other)
    package = read_package(folder)
    assert package.weights_path.name == "weights.onnx"
    assert weights_for(package, EngineSettings(precision=precision)).name == name


def test_half_precision_without_a_gpu_is_said_and_single_precision_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_package(tmp_path / "a" / "1")
    write_add_graph(folder / "weights.onnx")
    with caplog.at_level(logging.WARNING):
        engine = open_engine(read_package(folder), EngineSettings(device="cpu", precision="fp16"))
    assert_array_equal(engine.run({"x": np.ones((1, 2), dtype=np.float32)})["twice"], [[2, 2]])
    assert [record.wanted for record in caplog.records] == ["fp16"]


def test_tensorrt_without_a_gpu_is_said_and_the_network_runs_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    package = read_package(write_package(tmp_path / "a" / "1"))
    with caplog.at_level(logging.WARNING):
        engine = open_engine(package, EngineSettings(device="cpu", tensorrt=True))
    assert engine.device == "cpu"
    assert "TensorRT is not used" in caplog.messages


def test_a_precision_that_the_package_lacks_is_said_and_the_main_weights_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    package = read_package(write_package(tmp_path / "a" / "1"))
    with caplog.at_level(logging.WARNING):
        assert weights_for(package, EngineSettings(precision="int8")).name == "weights.onnx"
    assert [(record.wanted, record.available) for record in caplog.records] == [("int8", ["fp32"])]


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CUDA, reason="this build of ONNX Runtime has no CUDA provider")
def test_half_precision_on_a_gpu_agrees_with_single_precision(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    write_add_graph(folder / "weights.onnx")
    package = read_package(folder)
    feeds = {"x": np.array([[1.5, -2.25], [0, 100]], dtype=np.float32)}
    half = open_engine(package, EngineSettings(device="cuda", precision="fp16"))
    assert half.device == "cuda"
    assert_array_equal(half.run(feeds)["twice"], feeds["x"] * 2)


@pytest.mark.gpu
@pytest.mark.skipif(
    not HAS_CUDA or tensorrt_version() is None, reason="this machine has no CUDA provider or no TensorRT 10"
)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_tensorrt_builds_an_engine_once_and_finds_it_again(tmp_path: Path, precision: Precision) -> None:
    folder = write_package(tmp_path / "a" / "1")
    write_constant_detector(folder / "weights.onnx", yolov8_output([(32, 32, 16, 8, 0.5)]))
    package = read_package(folder)
    settings = EngineSettings(device="cuda", tensorrt=True, tensorrt_cache_dir=tmp_path / "cache", precision=precision)
    feeds = {"images": np.zeros((2, 3, 64, 64), dtype=np.float32)}
    for _ in range(2):
        assert_allclose(open_engine(package, settings).run(feeds)["output0"][1, :, 0], [32, 32, 16, 8, 0.5])
    assert len(list((tmp_path / "cache").iterdir())) == 1
