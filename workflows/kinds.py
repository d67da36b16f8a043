"""The kinds of value that flow between steps; names are the wire's."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a value is, as the language names it. `ANY` matches every other kind."""

    ANY = "*"
    IMAGE = "image"
    VIDEO_METADATA = "video_metadata"
    ROBOFLOW_MODEL_ID = "roboflow_model_id"
    ROBOFLOW_PROJECT = "roboflow_project"
    ROBOFLOW_SOLUTION = "roboflow_solution"
    ROBOFLOW_API_KEY = "roboflow_api_key"
    ROBOFLOW_MANAGED_KEY = "ROBOFLOW_MANAGED_KEY"
    FLOAT_ZERO_TO_ONE = "float_zero_to_one"
    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    DICTIONARY = "dictionary"
    LIST_OF_VALUES = "list_of_values"
    TOP_CLASS = "top_class"
    SECRET = "secret"  # noqa: S105  a kind, not a password
    BYTES = "bytes"
    TIMESTAMP = "timestamp"
    INFERENCE_ID = "inference_id"
    PARENT_ID = "parent_id"
    IMAGE_METADATA = "image_metadata"
    PREDICTION_TYPE = "prediction_type"
    CLASSIFICATION_PREDICTION = "classification_prediction"
    OBJECT_DETECTION_PREDICTION = "object_detection_prediction"
    INSTANCE_SEGMENTATION_PREDICTION = "instance_segmentation_prediction"
    RLE_INSTANCE_SEGMENTATION_PREDICTION = "rle_instance_segmentation_prediction"
    KEYPOINT_DETECTION_PREDICTION = "keypoint_detection_prediction"
    SEMANTIC_SEGMENTATION_PREDICTION = "semantic_segmentation_prediction"
    ACTION_RECOGNITION_PREDICTION = "action_recognition_prediction"
    DETECTION = "detection"
    DETECTIONS_OVERLAPS = "detections_overlaps"
    POINT = "point"
    LABELED_POINTS = "labeled_points"
    ZONE = "zone"
    RGB_COLOR = "rgb_color"
    IMAGE_KEYPOINTS = "image_keypoints"
    CONTOURS = "contours"
    LANGUAGE_MODEL_OUTPUT = "language_model_output"
    NUMPY_ARRAY = "numpy_array"
    TENSOR = "tensor"
    QR_CODE_DETECTION = "qr_code_detection"
    BAR_CODE_DETECTION = "bar_code_detection"
    SERIALISED_PAYLOADS = "serialised_payloads"
    EMBEDDING = "embedding"


DETECTION_KINDS = (
    Kind.OBJECT_DETECTION_PREDICTION,
    Kind.INSTANCE_SEGMENTATION_PREDICTION,
    Kind.KEYPOINT_DETECTION_PREDICTION,
)
"""Kinds that most blocks taking detections accept."""


def kinds_meet(given: tuple[str, ...], accepted: tuple[str, ...]) -> bool:
    """Whether a value of the `given` kinds may flow into a property of the `accepted` ones."""
    return Kind.ANY in given or Kind.ANY in accepted or not set(given).isdisjoint(accepted)
