"""Predictions of a single-model route drawn on their image."""

from __future__ import annotations

from workflows.drawing.canvas import canvas_of, drawable
from workflows.drawing.sizes import LARGEST_STROKE_PX, at_most
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.image_codec import encode_jpeg

QUALITY = 90


def draw_detections(image: Image, detections: Detections, *, labels: bool, stroke_px: int) -> bytes:
    """A JPEG of the image with a box around every detection, and its class name when `labels`."""
    scene = canvas_of(image)
    if len(detections):
        import supervision as sv  # late: it takes seconds, and most processes never draw

        boxes = drawable(detections)
        scene = sv.BoxAnnotator(thickness=max(1, at_most(stroke_px, LARGEST_STROKE_PX))).annotate(scene, boxes)
        if labels:
            scene = sv.LabelAnnotator().annotate(scene, boxes, labels=detections.class_name.tolist())
    return encode_jpeg(scene, QUALITY)
