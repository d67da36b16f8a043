"""Predictions of single-model routes as JSON."""

from __future__ import annotations

import uuid
from typing import Any

from workflows.geometry.boxes import centres_and_sizes
from workflows.values.detections import Detections
from workflows.values.recognized_text import RecognizedText, TextLevel


def detection_answer(detections: Detections, inference_id: str, time_s: float) -> dict[str, Any]:
    """What an object detector found on one image, boxes as centre and size."""
    width, height = detections.image_wh or (None, None)
    rows = zip(
        centres_and_sizes(detections.xyxy).tolist(),
        detections.confidence.tolist(),
        detections.class_name.tolist(),
        detections.class_id.tolist(),
        detections.detection_id.tolist(),
        strict=True,
    )
    return {
        "inference_id": inference_id,
        "time": time_s,
        "image": {"width": width, "height": height},
        "predictions": [_box(*row) for row in rows],
    }


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
        places = zip(centres_and_sizes(text.xyxy).tolist(), text.level.tolist(), strict=True)
        answer["image"] = {"width": image_wh[0], "height": image_wh[1]}
        answer["predictions"] = [
            _box(xywh, 1.0, TextLevel(level).name.lower(), level, str(uuid.uuid4())) for xywh, level in places
        ]
    return answer


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
