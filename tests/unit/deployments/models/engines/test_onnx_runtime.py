from __future__ import annotations

import logging
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import onnxruntime as ort
import pytest
from numpy.testing import assert_array_equal
from onnx import TensorProto

from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.models.engines.providers import NoGpuError
from deployments.models.engines.spread import SpreadChoice
from deployments.settings import EngineSettings
from tests.unit.deployments.models.builders import write_add_graph

CPU = EngineSettings(device="cpu")
HAS_CUDA = "CUDAExecutionProvider" in ort.get_available_providers()


def test_every_output_comes_back_by_its_name(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), CPU)
    outputs = engine.run({"x": np.array([[1, 2], [3, 4]], dtype=np.float32)})
    assert_array_equal(outputs["twice"], [[2, 4], [6, 8]])
    assert_array_equal(outputs["same"], [[1, 2], [3, 4]])


def test_arrays_from_another_process_can_be_fed(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), CPU)
    feed = np.ones((1, 2), dtype=np.float32)
    feed.flags.writeable = False
    assert_array_equal(engine.run({"x": feed})["twice"], [[2, 2]])


def test_axes_without_a_fixed_length_are_none(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx", ("batch", 3, 64, "w")), CPU)
    assert engine.inputs[0].name == "x"
    assert engine.inputs[0].shape == (None, 3, 64, None)
    assert [output.name for output in engine.outputs] == ["twice", "same"]


@pytest.mark.parametrize(("element", "dtype"), [(TensorProto.DOUBLE, np.float64), (TensorProto.INT64, np.int64)])
def test_element_types_are_those_of_numpy(tmp_path: Path, element: int, dtype: type) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx", element=element), CPU)
    assert engine.inputs[0].dtype == np.dtype(dtype)


@pytest.mark.parametrize("io_binding", ["on", "off"])
def test_half_precision_stays_inside(tmp_path: Path, io_binding: Literal["on", "off"]) -> None:
    path = write_add_graph(tmp_path / "add.onnx", element=TensorProto.FLOAT16)
    engine = OnnxRuntimeEngine(path, EngineSettings(device="cpu", io_binding=io_binding))
    twice = engine.run({"x": np.array([[1.5, 2]], dtype=np.float32)})["twice"]
    assert (engine.inputs[0].dtype, engine.outputs[0].dtype, twice.dtype) == (np.float32,) * 3
    assert_array_equal(twice, [[3, 4]])


def test_a_run_that_is_spread_over_idle_cores_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class InTurns(SpreadChoice):
        runs: ClassVar[list[bool]] = []

        def spreads(self, elements: int) -> bool:
            return len(self.runs) % 2 == 1

        def ran(self, elements: int, took_s: float, *, spread: bool) -> None:
            assert elements == 2
            self.runs.append(spread)

    monkeypatch.setattr("deployments.models.engines.onnx_runtime.SpreadChoice", InTurns)
    path = write_add_graph(tmp_path / "add.onnx")
    engine = OnnxRuntimeEngine(path, EngineSettings(device="cpu", idle_threads=2))
    for _ in range(4):
        assert_array_equal(engine.run({"x": np.array([[1, 2]], dtype=np.float32)})["twice"], [[2, 4]])
    assert InTurns.runs == [False, True, False, True]

    alone = OnnxRuntimeEngine(path, EngineSettings(device="cpu", idle_threads=1))
    assert_array_equal(alone.run({"x": np.array([[1, 2]], dtype=np.float32)})["twice"], [[2, 4]])
    assert len(InTurns.runs) == 4


def test_what_a_file_holds_is_loaded_as_the_file_is(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx").read_bytes(), CPU)
    assert_array_equal(engine.run({"x": np.ones((1, 2), dtype=np.float32)})["twice"], [[2, 2]])


def test_buffers_that_are_used_again_give_what_a_plain_run_gives(tmp_path: Path) -> None:
    path = write_add_graph(tmp_path / "add.onnx")
    plain = OnnxRuntimeEngine(path, EngineSettings(device="cpu", io_binding="off"))
    bound = OnnxRuntimeEngine(path, EngineSettings(device="cpu", io_binding="on"))
    for count in (1, 3, 1, 8):
        feeds = {"x": np.arange(count * 2, dtype=np.float32).reshape(count, 2)}
        assert_array_equal(bound.run(feeds)["twice"], plain.run(feeds)["twice"])


def test_the_cpu_is_used_when_asked_for(tmp_path: Path) -> None:
    assert OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), CPU).device == "cpu"


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
def test_demanding_cuda_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoGpuError, match="demand device cuda: this build of ONNX Runtime has no CUDA provider"):
        OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), EngineSettings(device="cuda"))


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
def test_taking_what_is_there_does_not_warn_on_a_machine_without_cuda(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), EngineSettings(device="auto"))
    assert caplog.records == []


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_CUDA, reason="this build of ONNX Runtime has no CUDA provider")
def test_cuda_is_used_where_it_is(tmp_path: Path) -> None:
    engine = OnnxRuntimeEngine(write_add_graph(tmp_path / "add.onnx"), EngineSettings(device="cuda"))
    assert engine.device == "cuda"
    for count in (1, 3, 1):
        feeds = {"x": np.arange(count * 2, dtype=np.float32).reshape(count, 2)}
        assert_array_equal(engine.run(feeds)["twice"], feeds["x"] * 2)
