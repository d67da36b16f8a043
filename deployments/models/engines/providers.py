"""Which execution provider of ONNX Runtime is asked for, and saying aloud which one it became."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import onnxruntime as ort

from deployments.settings import EngineSettings

logger = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
ON_GPU = frozenset({CUDA, TENSORRT})


class NoGpuError(RuntimeError):
    """The settings demand a GPU, and the model would run on the CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChoice:
    """What a session is made with.

    Attributes:
        providers: the wanted one first, each with its options.
        missing: why a better one was not asked for; None when nothing is missing.
    """

    providers: tuple[tuple[str, Mapping[str, Any]], ...]
    missing: str | None = None

    @property
    def wanted(self) -> str:
        """The provider that should run the model."""
        return self.providers[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this installation could run on.

    Attributes:
        available: providers that this build of ONNX Runtime has.
    """

    available: frozenset[str] = field(default_factory=lambda: frozenset(ort.get_available_providers()))


def choose_providers(
    settings: EngineSettings, machine: Machine, tensorrt_options: Mapping[str, Any] | None = None
) -> ProviderChoice:
    """The providers for a session.

    Args:
        settings: what is asked for.
        machine: what there is.
        tensorrt_options: of TensorRT's provider; None leaves it out.

    Raises:
        NoGpuError: CUDA is demanded, and this build has no such provider.
    """
    if settings.device == "cpu":
        missing = "TensorRT needs a GPU, and the settings choose the CPU" if settings.tensorrt else None
        return ProviderChoice(providers=((CPU, {}),), missing=missing)
    if CUDA not in machine.available:
        reason = (
            "this build of ONNX Runtime has no CUDA provider; install requirements-gpu.txt in place of requirements.txt"
        )
        if settings.device == "cuda":
            raise NoGpuError(f"the settings demand device cuda: {reason}, or set device to auto or cpu")
        return ProviderChoice(providers=((CPU, {}),), missing=reason if settings.tensorrt else None)
    # Algorithms of convolutions are chosen by rule: trying them all at every new batch size takes seconds each.
    cuda: dict[str, Any] = {"device_id": settings.device_id, "cudnn_conv_algo_search": "HEURISTIC"}
    if settings.cuda_memory_limit_bytes is not None:
        cuda["gpu_mem_limit"] = settings.cuda_memory_limit_bytes
    below: tuple[tuple[str, Mapping[str, Any]], ...] = ((CUDA, cuda), (CPU, {}))
    if tensorrt_options is None:
        return ProviderChoice(providers=below)
    if TENSORRT not in machine.available:
        return ProviderChoice(providers=below, missing="this build of ONNX Runtime has no TensorRT provider")
    return ProviderChoice(providers=((TENSORRT, tensorrt_options), *below))


def report(choice: ProviderChoice, got: str, settings: EngineSettings, weights: str) -> None:
    """Log what was asked for, what it became, and why.

    Raises:
        NoGpuError: CUDA is demanded, and the provider in use is that of the CPU.
    """
    extra = {"wanted": choice.wanted, "provider": got, "precision": settings.precision, "weights": weights}
    if got == choice.wanted and choice.missing is None:
        logger.info("model loaded", extra=extra)
        return
    reason = (
        choice.missing or f"{choice.wanted} did not start; ONNX Runtime says above which library or device it lacks"
    )
    if settings.device == "cuda" and got not in ON_GPU:
        raise NoGpuError(f"the settings demand device cuda: {reason}; mend that, or set device to auto or cpu")
    logger.warning("the model does not run where it should", extra=extra | {"reason": reason})
