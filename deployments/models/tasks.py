"""What a model is for."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """The question that a model answers about a picture. Values are the words of the package."""

    OBJECT_DETECTION = "object-detection"
    INSTANCE_SEGMENTATION = "instance-segmentation"
    KEYPOINT_DETECTION = "keypoint-detection"
    CLASSIFICATION = "classification"
    MULTI_LABEL_CLASSIFICATION = "multi-label-classification"
    TEXT_RECOGNITION = "text-recognition"
    TEXT_DETECTION = "text-detection"


Tasks = frozenset[Task]

DETECTION: Tasks = frozenset({Task.OBJECT_DETECTION})
SEGMENTATION: Tasks = frozenset({Task.INSTANCE_SEGMENTATION})
KEYPOINTS: Tasks = frozenset({Task.KEYPOINT_DETECTION})
CLASSIFICATION: Tasks = frozenset({Task.CLASSIFICATION, Task.MULTI_LABEL_CLASSIFICATION})
IMAGE_TASKS: Tasks = DETECTION | SEGMENTATION | KEYPOINTS | CLASSIFICATION
"""Tasks whose models take whole pictures and answer with objects or classes; one deployment serves them all."""
READING: Tasks = frozenset({Task.TEXT_RECOGNITION})
"""A text detector answers no request of its own; it is a part of the text recognizer that names it."""


def in_words(tasks: Tasks) -> str:
    """The tasks in words, for messages."""
    return " or ".join(sorted(tasks))
