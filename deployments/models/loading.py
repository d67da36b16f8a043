"""From a package on disk to a model that answers."""

from __future__ import annotations

import logging
from typing import Protocol

from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.engines.engine import Engine, EngineSettings
from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.models.errors import ModelError, ModelLoadError, UnsupportedModelError
from deployments.models.package import ModelPackage
from deployments.models.recognition.crnn import TextRecognizer

logger = logging.getLogger(__name__)

OBJECT_DETECTION = "object-detection"
TEXT_RECOGNITION = "text-recognition"


class LoadedModel(Protocol):
    """What the registry needs to know of a model."""

    package: ModelPackage
    batch_size: int | None
    input_hw: tuple[int, int]


def load_model(package: ModelPackage, settings: EngineSettings) -> ObjectDetectionModel | TextRecognizer:
    """The model of a package, warmed by one run.

    Raises:
        UnsupportedModelError: no code here does what the package is for.
        ModelLoadError: the weights do not load or do not fit the package.
    """
    makers: dict[str, type[ObjectDetectionModel] | type[TextRecognizer]] = {
        OBJECT_DETECTION: ObjectDetectionModel,
        TEXT_RECOGNITION: TextRecognizer,
    }
    make = makers.get(package.task_type)
    if make is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} is for {package.task_type!r}; served here are {', '.join(sorted(makers))}",
            package.model_id,
        )
    try:
        return make(package, _engine(package, settings))
    except ModelError:
        raise
    except Exception as error:
        # The runtime raises whatever its C++ side threw; none of it may take the server down.
        logger.warning("model does not load", extra={"model_id": package.model_id}, exc_info=True)
        raise ModelLoadError(
            f"the weights of {package.model_id!r} do not load: {_first_line(error)}", package.model_id
        ) from error


def load_object_detector(package: ModelPackage, settings: EngineSettings) -> ObjectDetectionModel:
    """As `load_model`, for callers that need an object detector.

    Raises:
        UnsupportedModelError: the package is for something else.
    """
    if package.task_type != OBJECT_DETECTION:
        raise UnsupportedModelError(
            f"model {package.model_id!r} is for {package.task_type!r}, not {OBJECT_DETECTION!r}", package.model_id
        )
    model = load_model(package, settings)
    assert isinstance(model, ObjectDetectionModel)  # the task says so
    return model


def load_text_recognizer(package: ModelPackage, settings: EngineSettings) -> TextRecognizer:
    """As `load_model`, for callers that need a text recognizer.

    Raises:
        UnsupportedModelError: the package is for something else.
    """
    if package.task_type != TEXT_RECOGNITION:
        raise UnsupportedModelError(
            f"model {package.model_id!r} is for {package.task_type!r}, not {TEXT_RECOGNITION!r}", package.model_id
        )
    model = load_model(package, settings)
    assert isinstance(model, TextRecognizer)  # the task says so
    return model


def _engine(package: ModelPackage, settings: EngineSettings) -> Engine:
    return OnnxRuntimeEngine(package.weights_path, settings)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
