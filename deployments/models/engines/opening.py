"""The one place that decides which engine runs a package."""

from __future__ import annotations

import logging
from pathlib import Path

from deployments.models.engines.engine import Engine
from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
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
    if package.triton is not None:
        try:
            from deployments.models.engines.triton.engine import TritonEngine  # an extra, not installed everywhere
        except ModuleNotFoundError as error:
            raise UnsupportedModelError(
                f"model {package.model_id!r} runs on a Triton server, and {error.name} is not installed here; install "
                "sightline[triton]",
                package.model_id,
            ) from error
        return TritonEngine(package.model_id, package.triton)
    return OnnxRuntimeEngine(weights_for(package, settings), settings)


def weights_for(package: ModelPackage, settings: EngineSettings) -> Path:
    """The weights of the arithmetic that the settings ask for, or those that there are, with a warning."""
    if settings.precision == "fp32":
        return package.weights_path
    chosen = package.weights_by_precision.get(settings.precision)
    if chosen is not None:
        return chosen
    logger.warning(
        "the package has no weights of the precision asked for, weights.onnx is used",
        extra={
            "model_id": package.model_id,
            "wanted": settings.precision,
            "available": ["fp32", *sorted(package.weights_by_precision)],
        },
    )
    return package.weights_path
