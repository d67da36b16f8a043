"""The older layout around `environment.json`, as inference servers keep it in their model cache."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from deployments.models.errors import ModelPackageError
from deployments.models.image_preprocessing import (
    DEFAULT_SIDE_PX,
    IMAGENET_STATISTICS,
    LETTERBOX_GREY,
    ImagePreprocessing,
    Normalization,
    ResizeMode,
)
from deployments.models.package_layouts.contents import ClassScores, PackageContents
from deployments.models.package_layouts.files import (
    check_schema,
    parse_json_object,
    read_class_names,
    read_json_object,
)
from deployments.models.package_layouts.keypoints_metadata import read_skeletons
from deployments.models.package_layouts.picture_steps import (
    ContrastConfig,
    Side,
    StaticCropConfig,
    Switch,
    contrast_of,
    is_on,
    static_crop_of,
)
from deployments.models.tasks import CLASSIFICATION, Task

ENVIRONMENT = "environment.json"
MODEL_TYPE = "model_type.json"

RESIZE_FORMATS: dict[str, tuple[ResizeMode, int]] = {
    "Stretch to": (ResizeMode.STRETCH, 0),
    "Fit (black edges) in": (ResizeMode.LETTERBOX, 0),
    "Fit (white edges) in": (ResizeMode.LETTERBOX, 255),
    # Older servers filled with 114; converted packages carry 127, and a model must not answer differently in either.
    "Fit (grey edges) in": (ResizeMode.LETTERBOX, LETTERBOX_GREY),
    "Fit (reflect edges) in": (ResizeMode.LETTERBOX, 0),
    "Fit within": (ResizeMode.LETTERBOX, 0),
    "Fill (with center crop) in": (ResizeMode.LETTERBOX, 0),
}
"""Mode and fill value of each `resize.format`; the last three were served as black edges, and still are."""

SIZE_DIVISOR = 32

EVEN_STATISTICS = Normalization(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
TRAINED_ON_IMAGENET_STATISTICS = ("resnet", "dinov3")
"""Beginnings of the names of classifiers; the others of this layout take values from -1 to 1."""

BACKGROUND_CLASS = "background_class83422"
"""What trainers of RF-DETR call the class that stands for nothing."""

BARE_EXPORT = ImagePreprocessing(
    resize_mode=ResizeMode.LETTERBOX,
    input_hw=(DEFAULT_SIDE_PX, DEFAULT_SIDE_PX),
    padding_value=LETTERBOX_GREY,
    size_divisor=SIZE_DIVISOR,
    complete=False,
)
"""For weights that nothing stands beside: what YOLO exports were trained with."""

BARE_CLASSIFIER = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, input_hw=(224, 224), complete=False)
"""The same for classifiers, which never saw a border around a picture."""


class ResizeConfig(BaseModel):
    """Size and fit."""

    enabled: bool = True
    format: str = "Stretch to"
    width: Side = DEFAULT_SIDE_PX
    height: Side = DEFAULT_SIDE_PX


class PreprocessingConfig(BaseModel):
    """`PREPROCESSING`."""

    model_config = ConfigDict(validate_by_name=True)

    resize: ResizeConfig | None = None
    static_crop: StaticCropConfig | None = Field(default=None, alias="static-crop")
    grayscale: Switch | None = None
    contrast: ContrastConfig | None = None


def read_environment(directory: Path) -> PackageContents:
    """What the package in `directory` says.

    Raises:
        ModelPackageError: a file is wrong, or no file says what the model is.
    """
    path = directory / ENVIRONMENT
    environment = read_json_object(path) if path.is_file() else {}
    task_type, architecture = _model_type(directory / MODEL_TYPE)
    multi_label = task_type == Task.CLASSIFICATION and is_multi_label(environment, path)
    return PackageContents(
        task_type=Task.MULTI_LABEL_CLASSIFICATION if multi_label else task_type,
        architecture=architecture,
        weights_file=_weights_file(directory),
        class_names=_class_names(directory, environment, path),
        removed_classes=frozenset({BACKGROUND_CLASS}),
        preprocessing=_steps(environment, path, task_type, architecture),
        class_scores=ClassScores.FINAL if multi_label else None,
        skeletons=read_skeletons(directory),
    )


def _steps(
    environment: dict[str, Any], path: Path, task_type: str | None, architecture: str | None
) -> ImagePreprocessing:
    classifies = task_type in CLASSIFICATION
    if not environment:
        return BARE_CLASSIFIER if classifies else BARE_EXPORT
    steps = _preprocessing(environment.get("PREPROCESSING"), path)
    return replace(steps, normalization=_classifier_statistics(architecture)) if classifies else steps


def is_multi_label(environment: dict[str, Any], path: Path) -> bool:
    """Whether a classifier names any number of classes; one, when the package does not say.

    Raises:
        ModelPackageError: `MULTICLASS` is neither true nor false.
    """
    value = environment.get("MULTICLASS", False)
    if not isinstance(value, bool):
        raise ModelPackageError(f"{path.name}: MULTICLASS must be true or false, not {value!r:.40}", str(path))
    return value


def architecture_of(model_type: str) -> str:
    """The architecture without its size: `yolov8n` and `yolov8n-seg` are `yolov8`, `rfdetr-base` is `rfdetr`."""
    name = model_type.lower().replace("rf-detr", "rfdetr").replace("yolo_nas", "yolonas")
    found = re.match(r"yolonas|yololite|yolo26|rfdetr|yolov?(?P<generation>\d+)", name)
    if found is None:
        return name
    return found[0] if found["generation"] is None else f"yolov{found['generation']}"


def _model_type(path: Path) -> tuple[str | None, str | None]:
    if not path.is_file():
        return None, None
    declared = read_json_object(path)
    task, model = declared.get("project_task_type"), declared.get("model_type")
    for key, value in (("project_task_type", task), ("model_type", model)):
        if value is not None and not isinstance(value, str):
            raise ModelPackageError(f"{path.name}: {key} must be text, not {type(value).__name__}", str(path))
    return task, None if model is None else architecture_of(model)


def _classifier_statistics(architecture: str | None) -> Normalization:
    """What classifiers of this layout were trained with, which it has no words for."""
    of_imagenet = architecture is not None and architecture.startswith(TRAINED_ON_IMAGENET_STATISTICS)
    return IMAGENET_STATISTICS if of_imagenet else EVEN_STATISTICS


def _weights_file(directory: Path) -> str:
    # The older servers called the weights of YOLOv5 detectors after the network.
    for name in ("weights.onnx", "yolov5s_weights.onnx"):
        if (directory / name).is_file():
            return name
    return "weights.onnx"


def _class_names(directory: Path, environment: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = read_class_names(directory)
    if names is not None:
        return names
    class_map = environment.get("CLASS_MAP")
    if class_map is None:
        return ()
    if not isinstance(class_map, dict) or set(class_map) != {str(index) for index in range(len(class_map))}:
        raise ModelPackageError(
            f'{path.name}: CLASS_MAP must name every class from "0" on without a gap, such as '
            '{"0": "plate", "1": "car"}',
            str(path),
        )
    return tuple(str(class_map[str(index)]) for index in range(len(class_map)))


def _preprocessing(value: object, path: Path) -> ImagePreprocessing:
    if isinstance(value, str):  # the object is often found as its JSON text
        value = parse_json_object(value, path, f"{path.name}: the text in PREPROCESSING")
    config = check_schema(PreprocessingConfig, value or {}, path, f"{path.name}: PREPROCESSING")
    resize = config.resize if config.resize is not None and config.resize.enabled else ResizeConfig()
    if resize.format not in RESIZE_FORMATS:
        raise ModelPackageError(
            f"{path.name}: PREPROCESSING.resize.format is {resize.format!r}; it must be one of "
            f"{', '.join(RESIZE_FORMATS)}",
            str(path),
        )
    mode, padding_value = RESIZE_FORMATS[resize.format]
    return ImagePreprocessing(
        static_crop=static_crop_of(config.static_crop, path),
        grayscale=is_on(config.grayscale),
        contrast=contrast_of(config.contrast, path),
        resize_mode=mode,
        input_hw=(resize.height, resize.width),
        padding_value=padding_value,
        size_divisor=SIZE_DIVISOR,
        complete=False,  # this layout has no words for normalization
    )
