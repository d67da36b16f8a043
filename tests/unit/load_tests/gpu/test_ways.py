from __future__ import annotations

import argparse

import pytest

from load_tests.gpu import engines, pipeline
from load_tests.gpu.ways import WAYS, WayMissingError, check_provider, check_way, made_here, way_names, whole_numbers


class Engine:
    """What runs a network, as far as a way looks at it."""

    def __init__(self, device: str, provider: str) -> None:
        self.device, self.provider = device, provider


def test_numbers_and_ways_are_read() -> None:
    assert whole_numbers("1,2,64") == (1, 2, 64)
    assert way_names("cpu,cuda,cpu") == ("cpu", "cuda")


@pytest.mark.parametrize("text", ["", "x", "0", "1,,2", "1.5", "-1", "1" * 5000])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no whole number from 1"):
        whole_numbers(text)


def usage_error(program: object, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a program says of arguments that it refuses."""
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)  # type: ignore[attr-defined]
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("program", [engines, pipeline])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--ways", "foo"], "argument --ways: 'foo' is no way; ways here: cpu"),
        (["--ways", ""], "argument --ways: '' is no way"),
        (["--runs", "0"], "argument --runs: '0' is no whole number from 1"),
        (["--models", "/nosuch"], "argument --models: /nosuch is no folder"),
        (["--out", "/"], "argument --out: / is a folder"),
    ],
)
def test_arguments_that_cannot_work_are_usage_errors(
    capsys: pytest.CaptureFixture[str], program: object, wrong: list[str], says: str
) -> None:
    assert says in usage_error(program, wrong, capsys)


@pytest.mark.parametrize(
    ("program", "wrong", "says"),
    [
        (engines, ["--model", "nosuch/1"], "argument --model: no model 'nosuch/1'"),
        (engines, ["--batches", "x"], "argument --batches: 'x' is no whole number"),
        (pipeline, ["--detector", "nosuch/1"], "argument --detector: no model 'nosuch/1'"),
        (pipeline, ["--reader", "nosuch/1"], "argument --reader: no model 'nosuch/1'"),
        (pipeline, ["--detector", "doctr/default"], "doctr/default is for text-recognition, not object-detection"),
        (pipeline, ["--crops", "none"], "argument --crops: 'none' is no whole number"),
    ],
)
def test_models_and_numbers_of_one_program_too(
    capsys: pytest.CaptureFixture[str], program: object, wrong: list[str], says: str
) -> None:
    assert says in usage_error(program, wrong, capsys)


def test_a_way_whose_device_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load_tests.gpu.ways.cuda_device", lambda _: None)
    monkeypatch.setattr("load_tests.gpu.ways.tensorrt_version", lambda: None)
    assert check_way("cpu") is WAYS["cpu"]
    with pytest.raises(WayMissingError, match="no CUDA device"):
        check_way("cuda")
    with pytest.raises(WayMissingError, match="no TensorRT 10 library"):
        check_way("tensorrt")


def test_a_network_that_runs_elsewhere_is_not_measured_under_a_wrong_name() -> None:
    check_provider(Engine("cuda", "CUDAExecutionProvider"), WAYS["cuda"])  # type: ignore[arg-type]
    with pytest.raises(WayMissingError, match="runs on CPUExecutionProvider"):
        check_provider(Engine("cpu", "CPUExecutionProvider"), WAYS["cuda"])  # type: ignore[arg-type]
    with pytest.raises(WayMissingError, match="runs on CUDAExecutionProvider"):
        check_provider(Engine("cuda", "CUDAExecutionProvider"), WAYS["tensorrt"])  # type: ignore[arg-type]


def test_a_report_says_of_what_it_is() -> None:
    report = made_here()
    assert report.commit
    assert report.versions["onnxruntime"]
    assert report.machine.cpus >= 1
