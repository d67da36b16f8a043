"""Pixels to draw on, and detections in the form that the drawing library takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflows.values.detections import Detections
from workflows.values.image import Image

if TYPE_CHECKING:
    import supervision as sv


def canvas_of(image: Image) -> NDArray[np.uint8]:
    """(h, w, 3) BGR copy of an image, or (h, w) of a grey one, on which the blue of a colour is its brightness."""
    return image.pixels.copy()


def drawable(detections: Detections, *, masks: bool = False) -> sv.Detections:
    """The same boxes, classes and tracks for the drawing library, and the masks where what is drawn depends on them."""
    import supervision as sv  # late: it takes seconds, and most processes never draw

    return sv.Detections(
        xyxy=detections.xyxy,
        mask=detections.masks.arrays() if masks and detections.masks is not None else None,
        confidence=detections.confidence,
        class_id=detections.class_id.astype(int),
        tracker_id=detections.tracker_id,
        data={"class_name": detections.class_name},
    )
