"""Pixels to draw on, and detections in the form that the drawing library takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from workflows.values.detections import Detections
from workflows.values.image import Image

if TYPE_CHECKING:
    import supervision as sv


def canvas_of(image: Image) -> NDArray[np.uint8]:
    """(h, w, 3) BGR copy of an image, for drawing; grey becomes three equal channels."""
    if image.pixels.ndim == 2:
        return cv2.cvtColor(image.pixels, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    return image.pixels.copy()


def drawable(detections: Detections) -> sv.Detections:
    """The same boxes, masks, classes and tracks for the drawing library."""
    import supervision as sv  # late: it takes seconds, and most processes never draw

    return sv.Detections(
        xyxy=detections.xyxy,
        mask=detections.masks,
        confidence=detections.confidence,
        class_id=detections.class_id.astype(int),
        tracker_id=detections.tracker_id,
        data={"class_name": detections.class_name},
    )
