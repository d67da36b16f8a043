from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.image_preprocessing import Contrast, ResizeMode, StaticCrop
from deployments.models.package_layouts.contents import ClassScores
from deployments.models.package_layouts.environment import architecture_of, read_environment

PREPROCESSING: dict[str, Any] = {
    "auto-orient": {"enabled": True},
    "resize": {"enabled": True, "format": "Fit (grey edges) in", "width": 416, "height": 320},
    "static-crop": {"enabled": True, "x_min": 25, "x_max": 75, "y_min": 0, "y_max": 50},
    "contrast": {"enabled": True, "type": "Histogram Equalization"},
}


def write(directory: Path, environment: dict[str, Any]) -> Path:
    (directory / "environment.json").write_text(json.dumps(environment))
    return directory


@pytest.mark.parametrize("value", [PREPROCESSING, json.dumps(PREPROCESSING)])
def test_preprocessing_is_read_as_object_and_as_text(tmp_path: Path, value: object) -> None:
    steps = read_environment(write(tmp_path, {"PREPROCESSING": value})).preprocessing
    assert (steps.resize_mode, steps.input_hw, steps.padding_value) == (ResizeMode.LETTERBOX, (320, 416), 127)
    assert steps.static_crop == StaticCrop(x_min=25, y_min=0, x_max=75, y_max=50)
    assert (steps.contrast, steps.grayscale) == (Contrast.HISTOGRAM_EQUALIZATION, False)
    assert (steps.color_mode, steps.scaling_factor, steps.normalization) == ("rgb", 255.0, None)


@pytest.mark.parametrize(
    ("resize_format", "mode", "padding_value"),
    [
        ("Stretch to", ResizeMode.STRETCH, 0),
        ("Fit (black edges) in", ResizeMode.LETTERBOX, 0),
        ("Fit (white edges) in", ResizeMode.LETTERBOX, 255),
        ("Fit (grey edges) in", ResizeMode.LETTERBOX, 127),
        ("Fit (reflect edges) in", ResizeMode.LETTERBOX, 0),
        ("Fit within", ResizeMode.LETTERBOX, 0),
        ("Fill (with center crop) in", ResizeMode.LETTERBOX, 0),
    ],
)
def test_every_resize_format_has_a_mode_and_a_fill_value(
    tmp_path: Path, resize_format: str, mode: ResizeMode, padding_value: int
) -> None:
    resize = {"enabled": True, "format": resize_format, "width": 64, "height": 64}
    steps = read_environment(write(tmp_path, {"PREPROCESSING": {"resize": resize}})).preprocessing
    assert (steps.resize_mode, steps.padding_value) == (mode, padding_value)


def test_without_a_resize_the_size_is_640(tmp_path: Path) -> None:
    steps = read_environment(write(tmp_path, {"PREPROCESSING": {}})).preprocessing
    assert (steps.input_hw, steps.size_divisor) == ((640, 640), 32)


def test_class_names_win_over_the_class_map(tmp_path: Path) -> None:
    write(tmp_path, {"CLASS_MAP": {"0": "from the map"}})
    (tmp_path / "class_names.txt").write_text("from the file\n")
    assert read_environment(tmp_path).class_names == ("from the file",)


def test_the_class_map_is_ordered_by_number(tmp_path: Path) -> None:
    class_map = {str(number): f"class {number}" for number in (10, 2, 0, 1, 9, 3, 4, 5, 6, 7, 8)}
    names = read_environment(write(tmp_path, {"CLASS_MAP": class_map})).class_names
    assert names == tuple(f"class {number}" for number in range(11))


def test_the_model_type_names_task_and_architecture(tmp_path: Path) -> None:
    (tmp_path / "model_type.json").write_text('{"project_task_type": "object-detection", "model_type": "yolov8n"}')
    contents = read_environment(tmp_path)
    assert (contents.task_type, contents.architecture) == ("object-detection", "yolov8")


def test_weights_that_nothing_stands_beside_are_prepared_as_yolo_exports_are(tmp_path: Path) -> None:
    contents = read_environment(tmp_path)
    steps = contents.preprocessing
    assert (steps.resize_mode, steps.padding_value, steps.input_hw) == (ResizeMode.LETTERBOX, 127, (640, 640))
    assert (contents.architecture, contents.class_names) == (None, ())


def test_the_background_of_a_detr_is_no_class_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "class_names.txt").write_text("background_class83422\nplate\n")
    assert read_environment(tmp_path).removed_classes == {"background_class83422"}


def test_what_this_layout_has_no_words_for_is_left_to_the_architecture(tmp_path: Path) -> None:
    assert not read_environment(tmp_path).preprocessing.complete
    assert not read_environment(write(tmp_path, {"PREPROCESSING": PREPROCESSING})).preprocessing.complete


def test_weights_named_after_yolov5_are_found(tmp_path: Path) -> None:
    (tmp_path / "yolov5s_weights.onnx").write_bytes(b"\x08")
    assert read_environment(tmp_path).weights_file == "yolov5s_weights.onnx"


@pytest.mark.parametrize(
    ("model_type", "architecture"),
    [
        ("yolov8n", "yolov8"),
        ("yolov8s-seg", "yolov8"),
        ("yolo11n", "yolov11"),
        ("yolov12m", "yolov12"),
        ("yolo26n", "yolo26"),
        ("yolo_nas_s", "yolonas"),
        ("rfdetr-base", "rfdetr"),
        ("rf-detr-nano", "rfdetr"),
        ("vit", "vit"),
    ],
)
def test_an_architecture_is_a_model_type_without_its_size(model_type: str, architecture: str) -> None:
    assert architecture_of(model_type) == architecture


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PREPROCESSING": "{"}, "the text in PREPROCESSING is not valid JSON"),
        ({"PREPROCESSING": {"resize": {"format": "Squeeze"}}}, "'Squeeze'; it must be one of Stretch to"),
        ({"PREPROCESSING": {"resize": {"width": 0}}}, r"resize\.width"),
        ({"PREPROCESSING": 5}, "PREPROCESSING"),
        ({"CLASS_MAP": {"0": "a", "2": "b"}}, "without a gap"),
        ({"CLASS_MAP": ["a"]}, "without a gap"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, environment: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelPackageError, match=message):
        read_environment(write(tmp_path, environment))


def test_a_model_type_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_type.json").write_text('{"model_type": 8}')
    with pytest.raises(ModelPackageError, match="model_type must be text, not int"):
        read_environment(tmp_path)


def classifier(directory: Path, model_type: str, **environment: Any) -> Path:
    (directory / "model_type.json").write_text(
        json.dumps({"project_task_type": "classification", "model_type": model_type})
    )
    return write(directory, {"PREPROCESSING": {}, **environment})


@pytest.mark.parametrize(
    ("multiclass", "task_type", "scores"),
    [
        ({}, "classification", None),
        ({"MULTICLASS": False}, "classification", None),
        ({"MULTICLASS": True}, "multi-label-classification", ClassScores.FINAL),
    ],
)
def test_multiclass_says_whether_any_number_of_classes_applies(
    tmp_path: Path, multiclass: dict[str, bool], task_type: str, scores: ClassScores | None
) -> None:
    contents = read_environment(classifier(tmp_path, "vit", **multiclass))
    assert (contents.task_type, contents.class_scores) == (task_type, scores)


def test_multiclass_that_is_neither_true_nor_false_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="MULTICLASS must be true or false, not 'yes'"):
        read_environment(classifier(tmp_path, "vit", MULTICLASS="yes"))


@pytest.mark.parametrize(
    ("model_type", "mean"),
    [("vit", (0.5, 0.5, 0.5)), ("yolov8n-cls", (0.5, 0.5, 0.5)), ("resnet18", (0.485, 0.456, 0.406))],
)
def test_classifiers_get_the_statistics_they_were_trained_with(
    tmp_path: Path, model_type: str, mean: tuple[float, ...]
) -> None:
    normalization = read_environment(classifier(tmp_path, model_type)).preprocessing.normalization
    assert normalization is not None
    assert normalization.mean == mean


def test_other_models_of_this_layout_have_no_statistics(tmp_path: Path) -> None:
    (tmp_path / "model_type.json").write_text(
        json.dumps({"project_task_type": "instance-segmentation", "model_type": "yolov8n-seg"})
    )
    contents = read_environment(write(tmp_path, {"PREPROCESSING": {}, "MULTICLASS": True}))
    assert (contents.task_type, contents.architecture) == ("instance-segmentation", "yolov8")
    assert contents.preprocessing.normalization is None


@pytest.mark.parametrize("task_type", ["classification", "multi-label-classification"])
def test_a_classifier_with_nothing_beside_it_sees_whole_pictures(tmp_path: Path, task_type: str) -> None:
    (tmp_path / "model_type.json").write_text(json.dumps({"project_task_type": task_type}))
    contents = read_environment(tmp_path)
    assert (contents.task_type, contents.class_scores) == (task_type, None)
    steps = contents.preprocessing
    assert (steps.resize_mode, steps.input_hw, steps.normalization) == (ResizeMode.STRETCH, (224, 224), None)
