from __future__ import annotations

import logging

import pytest

from deployments.models.engines.providers import (
    CPU,
    CUDA,
    TENSORRT,
    Machine,
    NoGpuError,
    ProviderChoice,
    choose_providers,
    report,
)
from deployments.settings import EngineSettings

PLAIN = Machine(available=frozenset({CPU}))
WITH_CUDA = Machine(available=frozenset({CPU, CUDA}))
WITH_ALL = Machine(available=frozenset({CPU, CUDA, TENSORRT}))
ON_CPU = ProviderChoice(providers=((CPU, {}),))
ON_CUDA = ProviderChoice(providers=((CUDA, {}), (CPU, {})))


def names(choice: ProviderChoice) -> list[str]:
    return [name for name, _ in choice.providers]


@pytest.mark.parametrize(
    ("machine", "device", "expected"),
    [
        (PLAIN, "auto", [CPU]),
        (WITH_CUDA, "auto", [CUDA, CPU]),
        (WITH_CUDA, "cpu", [CPU]),
        (WITH_ALL, "cuda", [CUDA, CPU]),
    ],
)
def test_the_device_asked_for_comes_first_and_the_cpu_last(machine: Machine, device: str, expected: list[str]) -> None:
    choice = choose_providers(EngineSettings(device=device), machine)
    assert names(choice) == expected
    assert choice.missing is None


def test_tensorrt_comes_before_cuda_with_its_options() -> None:
    choice = choose_providers(EngineSettings(tensorrt=True), WITH_ALL, {"trt_fp16_enable": True})
    assert names(choice) == [TENSORRT, CUDA, CPU]
    assert choice.providers[0][1] == {"trt_fp16_enable": True}


@pytest.mark.parametrize(
    ("machine", "device", "reason"),
    [(WITH_CUDA, "auto", "no TensorRT provider"), (PLAIN, "auto", "no CUDA"), (WITH_ALL, "cpu", "choose the CPU")],
)
def test_what_keeps_tensorrt_away_is_said(machine: Machine, device: str, reason: str) -> None:
    choice = choose_providers(EngineSettings(tensorrt=True, device=device), machine, {})
    assert reason in str(choice.missing)


def test_memory_and_device_of_cuda_are_those_of_the_settings() -> None:
    settings = EngineSettings(device_id=1, cuda_memory_limit_bytes=1000)
    options = choose_providers(settings, WITH_CUDA).providers[0][1]
    assert (options["device_id"], options["gpu_mem_limit"]) == (1, 1000)


def test_demanding_cuda_of_a_build_without_it_is_refused_with_what_to_install() -> None:
    with pytest.raises(NoGpuError, match=r"install requirements-gpu.txt in place of requirements.txt, or set device"):
        choose_providers(EngineSettings(device="cuda"), PLAIN)


def test_demanding_cuda_that_does_not_start_is_refused() -> None:
    with pytest.raises(NoGpuError, match="CUDAExecutionProvider did not start"):
        report(ON_CUDA, CPU, EngineSettings(device="cuda"), "weights.onnx")


def test_what_was_wanted_and_what_it_became_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        report(ON_CPU, CPU, EngineSettings(), "weights.onnx")
        report(ON_CUDA, CPU, EngineSettings(), "weights.onnx")
    assert [(record.levelname, record.wanted, record.provider) for record in caplog.records] == [
        ("INFO", CPU, CPU),
        ("WARNING", CUDA, CPU),
    ]
    assert "which library or device it lacks" in caplog.records[1].reason


def test_cuda_in_place_of_tensorrt_is_no_cpu() -> None:
    choice = ProviderChoice(providers=((TENSORRT, {}), (CUDA, {}), (CPU, {})))
    report(choice, CUDA, EngineSettings(device="cuda", tensorrt=True), "weights.onnx")
