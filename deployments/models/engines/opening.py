"""The one place that decides which engine runs a package."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort

from deployments.models.engines.cuda_device import cuda_device, tensorrt_version
from deployments.models.engines.emulated import EmulatedEngine
from deployments.models.engines.engine import Engine
from deployments.models.engines.half_precision import HalfPrecisionError, to_half_precision
from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.models.engines.providers import CUDA
from deployments.models.engines.tensorrt_cache import EngineKey, provider_options, shape_ranges
from deployments.models.errors import UnsupportedModelError
from deployments.models.package import ModelPackage
from deployments.settings import EngineSettings

logger = logging.getLogger(__name__)


def open_engine(package: ModelPackage, settings: EngineSettings) -> Engine:
    """The network of a package, ready to run.

    Raises:
        ModelUnavailableError: it runs on a server that does not answer.
        UnsupportedModelError: what runs it is not installed.
        Exception: whatever the runtime raises for weights that it cannot load.
    """
    if package.emulated is not None:
        return EmulatedEngine(package, package.emulated)
    if package.triton is not None:
        try:
            from deployments.models.engines.triton.engine import TritonEngine  # an extra, not installed everywhere
        except ModuleNotFoundError as error:
            raise UnsupportedModelError(
                f"model {package.model_id!r} runs on a Triton server, and {error.name} is not installed here; install "
                "sightline with its extra `triton`",
                package.model_id,
            ) from error
        return TritonEngine(package.model_id, package.triton)
    weights = weights_for(package, settings)
    tensorrt_options = tensorrt_for(package, weights, settings) if settings.tensorrt else None
    network: Path | bytes = weights
    if settings.precision == "fp16" and weights == package.weights_path and tensorrt_options is None:
        network = _in_half_precision(package, settings)
    return OnnxRuntimeEngine(network, settings, name=weights.name, tensorrt_options=tensorrt_options)


def weights_for(package: ModelPackage, settings: EngineSettings) -> Path:
    """The weights of the arithmetic that the settings ask for, or those that there are, with a warning.

    Half precision needs no weights of its own on a GPU: the others are converted there.
    """
    if settings.precision == "fp32":
        return package.weights_path
    chosen = package.weights_by_precision.get(settings.precision)
    if chosen is not None:
        return chosen
    if settings.precision == "fp16" and _on_gpu(settings):
        return package.weights_path
    logger.warning(
        "the package has no weights of the precision asked for, weights.onnx is used",
        extra={
            "model_id": package.model_id,
            "wanted": settings.precision,
            "available": ["fp32", *sorted(package.weights_by_precision)],
        },
    )
    return package.weights_path


def tensorrt_for(package: ModelPackage, weights: Path, settings: EngineSettings) -> Mapping[str, Any] | None:
    """How TensorRT runs the network, with the folder of its engine; None, with a warning, where there is none.

    Raises:
        ValueError: the shapes of the network are not known beforehand.
    """
    device, version = cuda_device(settings.device_id), tensorrt_version()
    if device is None or version is None or not _on_gpu(settings):
        lacks = (
            "no GPU" if device is None else "no TensorRT 10" if version is None else "no CUDA provider, or not asked"
        )
        logger.warning("TensorRT is not used", extra={"model_id": package.model_id, "reason": lacks})
        return None
    inputs = OnnxRuntimeEngine(weights, EngineSettings(device="cpu", idle_threads=1), name=weights.name).inputs
    batch = package.max_batch_size or settings.tensorrt_max_batch
    ranges = shape_ranges(inputs, package.preprocessing.input_hw, min(batch, settings.tensorrt_max_batch))
    with weights.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    key = EngineKey(
        weights_sha256=checksum,
        ranges=ranges,
        precision=settings.precision,
        device=device,
        tensorrt_version=version,
        onnxruntime_version=ort.__version__,
    )
    return provider_options(
        key.make_folder(settings.tensorrt_cache_dir.expanduser()), ranges, settings.precision, settings.device_id
    )


def _on_gpu(settings: EngineSettings) -> bool:
    return settings.device != "cpu" and CUDA in ort.get_available_providers()


def _in_half_precision(package: ModelPackage, settings: EngineSettings) -> Path | bytes:
    if not _on_gpu(settings):
        return package.weights_path  # a CPU would only convert to and fro; said already
    try:
        return to_half_precision(package.weights_path)
    except HalfPrecisionError as error:
        logger.warning("the model runs in single precision", extra={"model_id": package.model_id, "reason": str(error)})
        return package.weights_path
