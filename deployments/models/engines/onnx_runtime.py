"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from deployments.models.engines.engine import TensorSpec
from deployments.settings import EngineSettings

logger = logging.getLogger(__name__)

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"

ELEMENT_TYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class OnnxRuntimeEngine:
    """One ONNX file, loaded.

    Replicas are scaled by processes, so each runs one thread and never spins: a spinning pool burns a core while it
    waits, and on two cores doubled the CPU time of a detector.

    Raises:
        ValueError: a tensor of a type that has no numpy counterpart.
    """

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        providers = _providers(settings)
        self._session = ort.InferenceSession(str(path), sess_options=_session_options(settings), providers=providers)
        self._provider = str(self._session.get_providers()[0])
        wants_cuda = settings.device == "cuda" or any(name == CUDA_PROVIDER for name, _ in providers)
        if wants_cuda and self._provider != CUDA_PROVIDER:
            logger.warning(
                "CUDA is not used, the model runs on the slower CPU provider",
                extra={
                    "provider": self._provider,
                    "wanted": CUDA_PROVIDER,
                    "available_providers": list(ort.get_available_providers()),
                    "weights": path.name,
                },
            )
        else:
            logger.info("model loaded", extra={"provider": self._provider, "weights": path.name})
        self._inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self._outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._output_names = [output.name for output in self._outputs]

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""
        return self._outputs

    @property
    def provider(self) -> str:
        """The execution provider in use."""
        return self._provider

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda`."""
        return "cuda" if self._provider == CUDA_PROVIDER else "cpu"

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name."""
        return dict(zip(self._output_names, self._session.run(self._output_names, dict(feeds)), strict=True))


def _providers(settings: EngineSettings) -> list[tuple[str, dict[str, Any]]]:
    chosen: list[tuple[str, dict[str, Any]]] = []
    if settings.device != "cpu" and CUDA_PROVIDER in ort.get_available_providers():
        options: dict[str, Any] = {"device_id": settings.device_id}
        if settings.cuda_memory_limit_bytes is not None:
            options["gpu_mem_limit"] = settings.cuda_memory_limit_bytes
        chosen.append((CUDA_PROVIDER, options))
    chosen.append((CPU_PROVIDER, {}))
    return chosen


def _session_options(settings: EngineSettings) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Seen on one thread with batches of 1 to 8 in turn (2-core Xeon, a 3 MB detector at 640): without the arena most
    # runs took more CPU; without memory patterns 235 MB stay resident instead of 360 MB, for a few per cent more CPU at
    # most.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _spec(node: ort.NodeArg) -> TensorSpec:
    try:
        dtype = np.dtype(ELEMENT_TYPES[node.type])
    except KeyError:
        raise ValueError(
            f"tensor {node.name!r} has type {node.type}; supported are {', '.join(sorted(ELEMENT_TYPES))}"
        ) from None
    shape = tuple(length if isinstance(length, int) and length > 0 else None for length in node.shape)
    return TensorSpec(name=node.name, shape=shape, dtype=dtype)
