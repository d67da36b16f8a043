"""Building the TensorRT engine of a model ahead, so that no request waits for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.models.engines.opening import tensorrt_for, weights_for
from deployments.models.engines.providers import TENSORRT, NoGpuError
from deployments.models.engines.tensorrt_cache import shapes_of
from deployments.models.errors import ModelError
from deployments.models.package import ModelPackage
from deployments.settings import EngineSettings


class CannotCompileError(ModelError):
    """There is nothing here to build an engine with, or for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledEngine:
    """An engine that was built, or was there.

    Attributes:
        folder: where it lies.
        seconds: how long it took.
    """

    folder: Path
    seconds: float


def compile_engine(package: ModelPackage, settings: EngineSettings) -> CompiledEngine:
    """Build the engine that the same settings will look for when the model is served.

    Raises:
        CannotCompileError: the model is no ONNX file here, the shapes of its network are not known beforehand, or this
            machine has no GPU or no TensorRT.
    """
    if package.triton is not None:
        raise CannotCompileError(f"model {package.model_id!r} runs on Triton; build its engine there")
    if package.emulated is not None:
        raise CannotCompileError(f"model {package.model_id!r} is emulated; there is no network to build an engine of")
    weights = weights_for(package, settings)
    try:
        options = tensorrt_for(package, weights, settings)
    except ValueError as error:
        raise CannotCompileError(f"no engine can be built for {package.model_id!r}: {error}") from error
    if options is None:
        raise CannotCompileError(
            f"no engine can be built for {package.model_id!r} here: it takes a GPU, TensorRT 10 and the extra `gpu` "
            "on the kind of machine that will serve it"
        )
    began_s = time.perf_counter()
    try:
        engine = OnnxRuntimeEngine(weights, settings, name=weights.name, tensorrt_options=options)
    except NoGpuError as error:
        raise CannotCompileError(str(error)) from error
    if engine.provider != TENSORRT:
        raise CannotCompileError(f"TensorRT did not start, {package.model_id!r} would run on {engine.provider}")
    for shapes in shapes_of(options):
        engine.run({spec.name: np.zeros(shapes[spec.name], dtype=spec.dtype) for spec in engine.inputs})
    return CompiledEngine(folder=Path(options["trt_engine_cache_path"]), seconds=time.perf_counter() - began_s)
