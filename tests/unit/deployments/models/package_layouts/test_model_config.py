from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.image_preprocessing import Contrast, Normalization, ResizeMode, StaticCrop
from deployments.models.package_layouts.contents import ClassScores, Skeleton, TextMaps, TextReading
from deployments.models.package_layouts.model_config import read_model_config
from tests.unit.deployments.models.builders import NETWORK_INPUT, write_package


def test_a_full_package_is_read_key_by_key(tmp_path: Path) -> None:
    write_package(
        tmp_path,
        {
            "model_id": "plates/7",
            "model_architecture": "YOLOv8",
            "recommended_parameters": {"confidence": 0.3, "per_class_confidence": {"car": 0.6}},
            "static_batch_size": 4,
            "sha256": {"weights.onnx": "ab"},
        },
        {
            "image_pre_processing": {
                "auto-orient": {"enabled": False},
                "static-crop": {"enabled": True, "x_min": 10, "y_min": 20, "x_max": 90, "y_max": 80},
                "contrast": {"enabled": True, "type": "Contrast Stretching"},
                "grayscale": {"enabled": True},
            },
            "network_input": {
                "training_input_size": {"height": 320, "width": 640},
                "dynamic_spatial_size_supported": True,
                "dynamic_spatial_size_mode": {"type": "pad-to-be-divisible", "value": 32},
                "color_mode": "bgr",
                "resize_mode": "center-crop",
                "padding_value": 127,
                "input_channels": 3,
                "scaling_factor": 128,
                "normalization": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
                "reduced_decoding": True,
            },
            "forward_pass": {"max_dynamic_batch_size": 8},
            "post_processing": {
                "type": "nms",
                "fused": True,
                "nms_parameters": {
                    "max_detections": 50,
                    "confidence_threshold": 0.2,
                    "iou_threshold": 0.7,
                    "class_agnostic": True,
                },
            },
        },
        "plate\ncar\n",
    )
    contents = read_model_config(tmp_path)
    assert (contents.declared_id, contents.architecture, contents.task_type) == (
        "plates/7",
        "yolov8",
        "object-detection",
    )
    assert contents.class_names == ("plate", "car")
    assert (contents.static_batch_size, contents.max_batch_size, contents.sha256) == (4, 8, {"weights.onnx": "ab"})
    assert (contents.recommended.confidence, contents.recommended.per_class_confidence) == (0.3, {"car": 0.6})
    assert (contents.default_confidence, contents.graph_suppresses) == (0.2, True)
    steps = contents.preprocessing
    assert steps.grayscale
    assert steps.reduced_decoding
    assert steps.static_crop == StaticCrop(x_min=10, y_min=20, x_max=90, y_max=80)
    assert (steps.contrast, steps.resize_mode) == (Contrast.CONTRAST_STRETCHING, ResizeMode.CENTER_CROP)
    assert (steps.input_hw, steps.padding_value, steps.color_mode) == ((320, 640), 127, "bgr")
    assert (steps.scaling_factor, steps.size_divisor) == (128, 32)
    assert steps.normalization == Normalization(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))


def test_what_a_package_leaves_out_is_off(tmp_path: Path) -> None:
    write_package(tmp_path, {}, {"network_input": {"resize_mode": "letterbox"}}, class_names=None)
    contents = read_model_config(tmp_path)
    steps = contents.preprocessing
    assert (steps.static_crop, steps.grayscale, steps.contrast) == (None, False, None)
    assert (steps.input_hw, steps.padding_value, steps.scaling_factor, steps.normalization) == (None, 0, None, None)
    assert (contents.class_names, contents.text_reading) == ((), None)
    assert (contents.default_confidence, contents.graph_suppresses) == (None, False)


def test_steps_that_are_not_enabled_do_not_count(tmp_path: Path) -> None:
    off = {"enabled": False}
    steps = {
        "static-crop": {**off, "x_min": 10},
        "contrast": {**off, "type": "Adaptive Equalization"},
        "grayscale": off,
    }
    write_package(tmp_path, {}, {"image_pre_processing": steps})
    preprocessing = read_model_config(tmp_path).preprocessing
    assert (preprocessing.static_crop, preprocessing.contrast, preprocessing.grayscale) == (None, None, False)


def test_classes_to_remove_are_read(tmp_path: Path) -> None:
    removal = {"type": "class_name_removal", "class_name": "background"}
    write_package(tmp_path, None, {"class_names_operations": [removal]}, "background\nplate\n")
    contents = read_model_config(tmp_path)
    assert (contents.class_names, contents.removed_classes) == (("background", "plate"), {"background"})


def test_unknown_keys_are_accepted(tmp_path: Path) -> None:
    write_package(tmp_path, {"package_artifacts": []}, {"model_initialization": {"x": 1}})
    assert read_model_config(tmp_path).architecture == "yolov8"


def test_recommended_parameters_may_be_spelt_in_camel_case(tmp_path: Path) -> None:
    write_package(tmp_path, {"recommended_parameters": {"perClassConfidence": {"plate": 0.5}}})
    assert read_model_config(tmp_path).recommended.per_class_confidence == {"plate": 0.5}


def test_a_vocabulary_is_kept_character_by_character(tmp_path: Path) -> None:
    write_package(tmp_path, {"task_type": "text-recognition"}, {"vocabulary": "0A -ß"})
    reading = read_model_config(tmp_path).text_reading
    assert reading is not None
    assert reading.vocabulary == "0A -ß"


def test_a_text_recognizer_names_its_text_detector(tmp_path: Path) -> None:
    write_package(tmp_path, None, {"vocabulary": "AB", "text_detection": {"model_id": "doctr/detection"}})
    reading = read_model_config(tmp_path).text_reading
    assert reading is not None
    assert (reading.text_detector_id, reading.single_line_confidence) == ("doctr/detection", 0.5)


def test_a_text_recognizer_says_how_its_output_is_read(tmp_path: Path) -> None:
    post_processing = {"type": "ctc", "blank": "first", "confidence": "mean", "fused": True}
    write_package(tmp_path, None, {"vocabulary": "AB", "post_processing": post_processing})
    reading = read_model_config(tmp_path).text_reading
    assert reading == TextReading(vocabulary="AB", blank="first", confidence="mean", probabilities=True)


def test_a_text_detector_says_how_its_maps_are_read(tmp_path: Path) -> None:
    post_processing = {"type": "sigmoid", "fused": True, "pixel_threshold": 0.4, "unclip_ratio": 2}
    write_package(tmp_path, {"task_type": "text-detection"}, {"post_processing": post_processing})
    assert read_model_config(tmp_path).text_maps == TextMaps(probabilities=True, pixel=0.4, unclip_ratio=2)


@pytest.mark.parametrize(
    ("model_config", "inference_config", "message"),
    [
        ({"backend_type": "torch"}, {}, "backend_type is 'torch'; it must be 'onnx'"),
        ({"model_module": "model.py"}, {}, "code of its own"),
        ({"static_batch_size": 0}, {}, "static_batch_size: Input should be greater"),
        ({}, {"network_input": {**NETWORK_INPUT, "resize_mode": "squeeze"}}, "network_input.resize_mode"),
        ({}, {"network_input": {**NETWORK_INPUT, "input_channels": 4}}, "network_input.input_channels"),
        ({}, {"network_input": {**NETWORK_INPUT, "training_input_size": {"height": -1, "width": 5}}}, "height"),
        ({}, {"network_input": {**NETWORK_INPUT, "normalization": [[0, 0, 0], [1, 0, 1]]}}, "standard deviation of 0"),
        ({}, {"network_input": None}, "network_input"),
        ({}, {"image_pre_processing": {"contrast": {"enabled": True}}}, "contrast is enabled without a type"),
        ({}, {"image_pre_processing": {"static-crop": {"enabled": True, "x_min": 50, "x_max": 50}}}, "no area"),
        ({}, {"vocabulary": "ABCA"}, r"names \['A'\] more than once"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, model_config: dict[str, Any], inference_config: dict[str, Any], message: str
) -> None:
    write_package(tmp_path, model_config, inference_config)
    with pytest.raises(ModelPackageError, match=message):
        read_model_config(tmp_path)


def test_a_missing_inference_config_is_named(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "inference_config.json").unlink()
    with pytest.raises(ModelPackageError, match=r"inference_config\.json is missing") as caught:
        read_model_config(tmp_path)
    assert caught.value.path == str(tmp_path / "inference_config.json")


@pytest.mark.parametrize("text", ["{", "[]", "", '{"a": 1', "[" * 100_000])
def test_broken_json_is_refused(tmp_path: Path, text: str) -> None:
    write_package(tmp_path)
    (tmp_path / "model_config.json").write_text(text)
    with pytest.raises(ModelPackageError, match=r"model_config\.json"):
        read_model_config(tmp_path)


def test_a_blank_line_between_class_names_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path, class_names="plate\n\ncar\n")
    with pytest.raises(ModelPackageError, match="line 2 is blank"):
        read_model_config(tmp_path)


def test_blanks_around_class_names_and_lines_behind_the_last_do_not_count(tmp_path: Path) -> None:
    write_package(tmp_path, class_names="license plate \r\n car\n\n\n")
    assert read_model_config(tmp_path).class_names == ("license plate", "car")


@pytest.mark.parametrize(
    ("post_processing", "scores"),
    [
        ({"type": "softmax", "fused": False}, ClassScores.SOFTMAX),
        ({"type": "sigmoid", "fused": False}, ClassScores.SIGMOID),
        ({"type": "softmax", "fused": True}, ClassScores.FINAL),
        ({"type": "sigmoid", "fused": True}, ClassScores.FINAL),
        ({"type": "nms", "fused": True}, None),
        ({}, None),
    ],
)
def test_post_processing_says_what_the_outputs_of_a_classifier_are(
    tmp_path: Path, post_processing: dict[str, Any], scores: ClassScores | None
) -> None:
    contents = read_model_config(write_package(tmp_path, inference_config={"post_processing": post_processing}))
    assert contents.class_scores is scores


def test_skeletons_are_read(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "keypoints_metadata.json").write_text('[{"object_class_id": 0, "keypoints": {"0": "nose"}}]')
    assert read_model_config(tmp_path).skeletons == (Skeleton(names=("nose",), edges=()),)
