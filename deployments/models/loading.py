"""From a package on disk to a model that answers."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol
from weakref import WeakKeyDictionary

from deployments.models.classification.classification_model import ClassificationModel
from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.doctr_torch.reader import doctr_reader
from deployments.models.engines.engine import Engine
from deployments.models.engines.opening import open_engine
from deployments.models.errors import ModelError, ModelLoadError, UnsupportedModelError
from deployments.models.keypoints.keypoint_detection_model import KeypointDetectionModel
from deployments.models.package import ModelPackage
from deployments.models.page_reading.page_reader import PageReader
from deployments.models.pp_ocr.packages import FAMILY as PP_OCR
from deployments.models.pp_ocr.reader import pp_ocr_reader
from deployments.models.recognition.crnn import TextRecognizer
from deployments.models.segmentation.instance_segmentation_model import InstanceSegmentationModel
from deployments.models.tasks import Task
from deployments.models.text_detection.text_detector import TextDetector
from deployments.settings import EngineSettings

logger = logging.getLogger(__name__)

_engines: WeakKeyDictionary[LoadedModel, Engine] = WeakKeyDictionary()
"""Beside the models, so that a class of models need not show what it runs on."""

PLACE_IN_RUNTIME = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : (?:Load model from .*? failed:)?(?:\S+\.(?:cc|h):\d+ .*?\) (?=[A-Z]))?"
)
"""What ONNX Runtime says before it says what is wrong: a status, and a line and function of its sources."""

OPSET_TOO_NEW = re.compile(r"Opset (?P<has>\d+) is under development.* ai\.onnx is till opset (?P<most>\d+)")
"""Source: ONNX Runtime 1.31, core/graph/model_load_utils.h."""

NO_OTHERS: Mapping[str, ModelPackage] = MappingProxyType({})


class LoadedModel(Protocol):
    """What the registry needs to know of a model."""

    package: ModelPackage
    batch_size: int | None
    input_hw: tuple[int, int]


MAKERS: Mapping[str, Callable[[ModelPackage, Engine], LoadedModel]] = {
    Task.OBJECT_DETECTION: ObjectDetectionModel,
    Task.INSTANCE_SEGMENTATION: InstanceSegmentationModel,
    Task.KEYPOINT_DETECTION: KeypointDetectionModel,
    Task.CLASSIFICATION: ClassificationModel,
    Task.MULTI_LABEL_CLASSIFICATION: ClassificationModel,
    Task.TEXT_RECOGNITION: TextRecognizer,
    Task.TEXT_DETECTION: TextDetector,
}
"""Task -> what runs a model for it."""


COMPOSED: Mapping[str, Callable[[ModelPackage, Callable[[ModelPackage], Engine]], LoadedModel]] = {
    PP_OCR: pp_ocr_reader,
}
"""Architecture -> what makes a model of several networks, given a way to open each."""


def load_model(
    package: ModelPackage,
    settings: EngineSettings,
    others: Mapping[str, ModelPackage] = NO_OTHERS,
    watch: Callable[[Engine], Engine] = lambda engine: engine,
) -> LoadedModel:
    """The model of a package, warmed by one run.

    A text recognizer becomes a reader of pages, with the text detector that its package names.

    Args:
        package: what to load.
        settings: how networks use the machine.
        others: by id, the packages that this one may name.
        watch: given the engine of the package, gives the one that the model is to use.

    Raises:
        UnsupportedModelError: no code here does what the package is for.
        ModelLoadError: the weights do not load or do not fit the package.
    """
    make = MAKERS.get(package.task_type)
    if make is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} is for {package.task_type!r}; served here are {', '.join(sorted(MAKERS))}",
            package.model_id,
        )
    compose = COMPOSED.get(package.architecture or "")
    model: LoadedModel
    try:
        if package.doctr is not None:
            _check_sums(package)
            model, engine = doctr_reader(package, package.doctr, settings, watch)
        elif compose is not None:
            opened: dict[Path, Engine] = {}

            def open_part(part: ModelPackage) -> Engine:
                return opened.setdefault(part.weights_path, watch(_open(part, settings)))

            model = compose(package, open_part)
            engine = opened[package.weights_path]
        else:
            engine = watch(_open(package, settings))
            model = make(package, engine)
            model = _page_reader(model, settings, others) if isinstance(model, TextRecognizer) else model
    except ModelError:
        raise
    except Exception as error:
        # The runtime raises whatever its C++ side threw; none of it may take the server down.
        logger.warning("model does not load", extra={"model_id": package.model_id}, exc_info=True)
        raise ModelLoadError(
            f"the weights of {package.model_id!r} do not load: {_first_line(error, package)}", package.model_id
        ) from error
    _engines[model] = engine
    return model


def engine_of(model: LoadedModel) -> Engine:
    """What runs the network of a model that `load_model` made; of a reader of pages, that of its text recognizer."""
    return _engines[model]


def _open(package: ModelPackage, settings: EngineSettings) -> Engine:
    _check_sums(package)
    return open_engine(package, settings)


def _check_sums(package: ModelPackage) -> None:
    """Refuse files that are not those that were meant, at the last moment before they are opened.

    Raises:
        ModelLoadError: the checksum of one is another one, or it is gone.
    """
    for name, meant in package.file_sums.items():
        try:
            with (package.directory / name).open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelLoadError(
                f"{name} of {package.model_id!r} cannot be read: {error.strerror}", package.model_id
            ) from error
        if actual != meant:
            raise ModelLoadError(
                f"{name} of {package.model_id!r} has sha256 {actual}, and {meant} is meant: the file is damaged or was "
                "replaced while the server ran",
                package.model_id,
            )


def _page_reader(
    recognizer: TextRecognizer, settings: EngineSettings, others: Mapping[str, ModelPackage]
) -> PageReader:
    package, reading = recognizer.package, recognizer.reading
    if reading.text_detector_id is None:
        return PageReader(package, recognizer, detector=None, sure_from=reading.single_line_confidence)
    named = others.get(reading.text_detector_id)
    if named is None:
        raise ModelLoadError(
            f"the package of {package.model_id!r} names {reading.text_detector_id!r} as its text detector, and there "
            "is no such package; add it, or take text_detection out of inference_config.json",
            package.model_id,
        )
    detector = load_model(named, settings)
    if not isinstance(detector, TextDetector):
        raise ModelLoadError(
            f"the package of {package.model_id!r} names {named.model_id!r} as its text detector, which is for "
            f"{named.task_type!r}; it must be for {Task.TEXT_DETECTION.value!r}",
            package.model_id,
        )
    return PageReader(package, recognizer, detector, sure_from=reading.single_line_confidence)


def _first_line(error: Exception, package: ModelPackage) -> str:
    """What the runtime says, without where on this machine the package lies: clients read it."""
    lines = str(error).replace(str(package.directory), "").strip().splitlines()
    if not lines:
        return type(error).__name__
    too_new = OPSET_TOO_NEW.search(lines[0])
    if too_new is not None:
        has, most = too_new["has"], too_new["most"]
        return f"they have opset {has}, which is newer than this runtime; export with opset {most} or less"
    return f"{type(error).__name__}: {PLACE_IN_RUNTIME.sub('', lines[0])}"
