"""Predictions of a single-model route drawn on their image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workflows.drawing.canvas import canvas_of, drawable
from workflows.drawing.sizes import LARGEST_STROKE_PX, at_most
from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.image_codec import encode_jpeg

QUALITY = 90
MARGIN_PX = 10
FONT, FONT_SCALE, WHITE = cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255)


def draw_detections(image: Image, detections: Detections, *, labels: bool, stroke_px: int) -> bytes:
    """A JPEG of the image with a box around every detection, its outline and key points where it has them.

    Args:
        image: what they were found on.
        detections: any number of them.
        labels: whether to write their class names and confidences.
        stroke_px: width of lines and radius of key points.
    """
    scene = canvas_of(image)
    if len(detections):
        import supervision as sv  # late: it takes seconds, and most processes never draw

        boxes, stroke_px = drawable(detections), _stroke(stroke_px)
        scene = sv.BoxAnnotator(thickness=stroke_px).annotate(scene, boxes)
        for index in range(len(detections)):
            _draw_parts(scene, detections, index, _colour(int(detections.class_id[index])), stroke_px)
        if labels:
            names, scores = detections.class_name.tolist(), detections.confidence.tolist()
            texts = [f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True)]
            scene = sv.LabelAnnotator().annotate(scene, boxes, labels=texts)
    return encode_jpeg(scene, QUALITY)


def draw_classification(image: Image, classification: Classification, *, stroke_px: int) -> bytes:
    """A JPEG of the image in a frame, with its class, or all classes of a multi-label model, the surest on top."""
    scene = canvas_of(image)
    order = np.argsort(-classification.confidence, kind="stable")
    if not len(order):
        return encode_jpeg(scene, QUALITY)
    height, width = scene.shape[:2]
    shown = order if classification.multi_label else order[:1]
    frame = _colour(int(classification.class_id[order[0]]))
    cv2.rectangle(scene, (0, 0), (width - 1, height - 1), frame, _stroke(stroke_px))
    top_px = 0
    for index in shown.tolist():
        if top_px >= height:
            break
        class_id = int(classification.class_id[index])
        text = f"{classification.class_name[index]} {classification.confidence[index]:.2f}"
        if not classification.multi_label:
            text = f"{class_id} - {text}"
        (text_width, text_height), _ = cv2.getTextSize(text, FONT, FONT_SCALE, 1)
        bottom_px = top_px + text_height + 2 * MARGIN_PX
        cv2.rectangle(scene, (0, top_px), (text_width + 2 * MARGIN_PX, bottom_px), _colour(class_id), cv2.FILLED)
        cv2.putText(scene, text, (MARGIN_PX, bottom_px - MARGIN_PX), FONT, FONT_SCALE, WHITE)
        top_px = bottom_px
    return encode_jpeg(scene, QUALITY)


def _draw_parts(
    scene: NDArray[np.uint8], detections: Detections, index: int, bgr: tuple[int, int, int], stroke_px: int
) -> None:
    if detections.masks is not None and (corner_xy := detections.masks.outline(index, outer=True)) is not None:
        cv2.polylines(scene, [corner_xy], isClosed=True, color=bgr, thickness=stroke_px)
    if detections.keypoints is not None:
        points = detections.keypoints.xy[index]
        for x, y in np.rint(points[np.isfinite(points).all(axis=1)]).astype(int).tolist():
            cv2.circle(scene, (x, y), stroke_px, bgr, cv2.FILLED)


def _colour(class_id: int) -> tuple[int, int, int]:
    import supervision as sv

    bgr: tuple[int, int, int] = sv.ColorPalette.DEFAULT.by_idx(class_id).as_bgr()
    return bgr


def _stroke(stroke_px: int) -> int:
    return max(1, at_most(stroke_px, LARGEST_STROKE_PX))
