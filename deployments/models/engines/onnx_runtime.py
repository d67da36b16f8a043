"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from deployments.models.engines.bound_runs import BoundRuns
from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.providers import CPU, ON_GPU, Machine, choose_providers, report
from deployments.models.engines.spread import SpreadChoice, spread_threads
from deployments.models.engines.tensor_types import at_the_seam
from deployments.settings import EngineSettings

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
    waits, and on two cores doubled the CPU time of a detector. While cores of the machine are idle, a second session
    with more threads answers sooner, for more of their time in all (`SpreadChoice`).

    Tensors of half precision are single at the engine's seam.

    Raises:
        ValueError: a tensor of a type that has no numpy counterpart.
        NoGpuError: the settings demand a GPU, and the network would run on the CPU.
    """

    def __init__(
        self,
        weights: Path | bytes,
        settings: EngineSettings,
        *,
        name: str = "weights.onnx",
        tensorrt_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Load it.

        Args:
            weights: the file, or what it holds.
            settings: how to use the machine.
            name: of the weights, for the log.
            tensorrt_options: of TensorRT's provider; None to do without it.
        """
        choice = choose_providers(settings, Machine(), tensorrt_options)
        if choice.wanted in ON_GPU:
            ort.preload_dlls()  # finds the CUDA libraries of pip's own packages
        providers = [(provider, dict(options)) for provider, options in choice.providers]
        source = weights if isinstance(weights, bytes) else str(weights)
        threads = spread_threads(settings.idle_threads)
        spread = choice.wanted == CPU and settings.io_binding != "on" and threads > settings.intra_op_threads
        self._session = ort.InferenceSession(
            source, sess_options=_session_options(settings.intra_op_threads, shares_memory=spread), providers=providers
        )
        self._spread_session: ort.InferenceSession | None = None
        if spread:
            self._spread_session = ort.InferenceSession(
                source, sess_options=_session_options(threads, shares_memory=True), providers=providers
            )
        self._spread_choice = SpreadChoice(threads, settings.intra_op_threads)
        self._provider = str(self._session.get_providers()[0])
        report(choice, self._provider, settings, name)
        self._inputs = tuple(_spec(node) for node in self._session.get_inputs())
        self._outputs = tuple(_spec(node) for node in self._session.get_outputs())
        self._output_names = [output.name for output in self._outputs]
        self._bound = self._bound_runs(settings)

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` must be fed."""
        return tuple(spec.at_the_seam() for spec in self._inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` gives back."""
        return tuple(spec.at_the_seam() for spec in self._outputs)

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def provider(self) -> str:
        """The execution provider in use."""
        return self._provider

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda`."""
        return "cuda" if self._provider in ON_GPU else "cpu"

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Every output by its name."""
        given = {spec.name: feeds[spec.name].astype(spec.dtype, copy=False) for spec in self._inputs}
        if self._bound is not None:
            answers = self._bound.run(given)
        elif self._spread_session is not None:
            answers = self._run_spread_or_not(self._spread_session, given)
        else:
            answers = self._session.run(self._output_names, given)
        return {
            spec.name: answer.astype(at_the_seam(spec.dtype), copy=False)
            for spec, answer in zip(self._outputs, answers, strict=True)
        }

    def _run_spread_or_not(self, spread_session: ort.InferenceSession, given: Mapping[str, NDArray[Any]]) -> Any:
        elements = max(1, sum(tensor.size for tensor in given.values()))
        spread = self._spread_choice.spreads(elements)
        began_s = time.perf_counter()
        answers = (spread_session if spread else self._session).run(self._output_names, given)
        self._spread_choice.ran(elements, time.perf_counter() - began_s, spread=spread)
        return answers

    def _bound_runs(self, settings: EngineSettings) -> BoundRuns | None:
        if settings.io_binding == "off" or (settings.io_binding == "auto" and self.device == "cpu"):
            return None
        device_id = settings.device_id if self.device == "cuda" else 0
        return BoundRuns(self._session, self._inputs, self._outputs, device=self.device, device_id=device_id)


def _session_options(threads: int, *, shares_memory: bool) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
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
    if shares_memory:
        _make_shared_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    return options


@cache
def _make_shared_arena() -> None:
    """One arena for the tensors of all sessions that ask for it: two of one network never run at the same time."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, None)


def _spec(node: ort.NodeArg) -> TensorSpec:
    try:
        dtype = np.dtype(ELEMENT_TYPES[node.type])
    except KeyError:
        raise ValueError(
            f"tensor {node.name!r} has type {node.type}; supported are {', '.join(sorted(ELEMENT_TYPES))}"
        ) from None
    shape = tuple(length if isinstance(length, int) and length > 0 else None for length in node.shape)
    return TensorSpec(name=node.name, shape=shape, dtype=dtype)
