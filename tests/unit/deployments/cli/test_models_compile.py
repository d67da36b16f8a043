from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest
from typer.testing import CliRunner, Result

from deployments.cli.main import app

HAS_CUDA = "CUDAExecutionProvider" in ort.get_available_providers()


@pytest.fixture(autouse=True)
def nothing_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def compile_model(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", "compile", *arguments])


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
def test_without_a_gpu_it_says_what_it_takes(tmp_path: Path) -> None:
    said = compile_model("doctr/default", "--cache", str(tmp_path / "cache"))
    assert said.exit_code == 1
    assert "it takes a GPU, TensorRT 10 and the extra `gpu`" in said.stderr


def test_a_model_that_is_not_there_is_an_error() -> None:
    said = compile_model("nope")
    assert said.exit_code == 1
    assert "nope" in said.stderr


def test_a_precision_that_does_not_exist_is_a_wrong_command_line() -> None:
    said = compile_model("doctr/default", "--precision", "fp8")
    assert said.exit_code == 2
    assert "none of fp32, fp16, int8" in said.stderr
