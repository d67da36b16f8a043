"""Predictions of single-model routes as JSON."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import numpy as np

from deployments.ingress.bodies import MaskFormat
from workflows.geometry.boxes import centres_and_sizes
from workflows.serializers.classification import write_classification
from workflows.serializers.detections import key_points_of, points_of, run_lengths_of
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.masks import Masks
from workflows.values.recognized_text import RecognizedText, TextLevel

WORKFLOW_KEYS = frozenset({"prediction_type", "parent_id", "root_parent_id"})
"""What a classification has in the answer of a workflow alone."""


def detection_answer(
    detections: Detections, inference_id: str, time_s: float, mask_format: MaskFormat = "polygon"
) -> dict[str, Any]:
    """What a model found on one image, boxes as centre and size, with masks and key points where it gives them."""
    width, height = detections.image_wh or (None, None)
    rows = zip(
        centres_and_sizes(detections.xyxy).tolist(),
        detections.confidence.tolist(),
        detections.class_name.tolist(),
        detections.class_id.tolist(),
        detections.detection_id.tolist(),
        strict=True,
    )
    predictions = [_box(*row) for row in rows]
    for position, prediction in enumerate(predictions):
        if detections.masks is not None:
            prediction |= _mask(detections.masks, position, mask_format)
        if detections.keypoints is not None:
            prediction["keypoints"] = key_points_of(detections.keypoints, position)
    return {
        "inference_id": inference_id,
        "time": time_s,
        "image": {"width": width, "height": height},
        "predictions": predictions,
    }


def classification_answer(classification: Classification, inference_id: str, time_s: float) -> dict[str, Any]:
    """The classes of one image; unlike in a workflow the answer names neither its task nor the image."""
    written = write_classification(replace(classification, inference_id=inference_id, duration_s=time_s))
    return {key: value for key, value in written.items() if key not in WORKFLOW_KEYS}


def text_answer(text: RecognizedText, image_wh: tuple[int, int], time_s: float, *, boxes: bool) -> dict[str, Any]:
    """What a text reader read on one image; the key for its parent stands there though it has none.

    Args:
        text: what was read.
        image_wh: size of the image.
        time_s: how long it took.
        boxes: whether to say where the words, lines and blocks stand; all are certain, their texts are not repeated.
    """
    answer: dict[str, Any] = {"result": text.text, "time": time_s, "parent_id": None}
    if boxes:
        places = zip(centres_and_sizes(np.rint(text.xyxy)).tolist(), text.level.tolist(), strict=True)
        answer["image"] = {"width": image_wh[0], "height": image_wh[1]}
        answer["predictions"] = [
            _box(xywh, 1.0, TextLevel(level).name.lower(), level, str(uuid.uuid4())) for xywh, level in places
        ]
    return answer


def line_answer(text: RecognizedText, image_wh: tuple[int, int], time_s: float) -> dict[str, Any]:
    """What was read on one image line by line: the class of each box is its text; arguments as in `text_answer`."""
    places = centres_and_sizes(np.rint(text.xyxy)).tolist()
    rows = zip(places, text.scores.tolist(), text.texts, text.level.tolist(), strict=True)
    return {
        "result": text.text,
        "time": time_s,
        "parent_id": None,
        "image": {"width": image_wh[0], "height": image_wh[1]},
        "predictions": [
            _box(xywh, score, line, 0, str(uuid.uuid4()))
            for xywh, score, line, level in rows
            if level == TextLevel.LINE
        ],
    }


def _mask(masks: Masks, position: int, mask_format: MaskFormat) -> dict[str, Any]:
    if mask_format == "rle":
        return {"rle": run_lengths_of(masks, position), "mask_format": mask_format}
    return {"points": points_of(masks.outline(position, outer=True)), "mask_format": mask_format}


def _box(xywh: list[float], confidence: float, name: str, class_id: int, detection_id: str) -> dict[str, Any]:
    x, y, width, height = xywh
    return {
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "confidence": confidence,
        "class": name,
        "class_id": class_id,
        "detection_id": detection_id,
    }
