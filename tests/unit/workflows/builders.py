"""Values for tests; arrays are read-only, as those that come from another process are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.masks import Masks
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, not to be written to."""
    array.flags.writeable = False
    return array


def boxes(*rows: list[float]) -> NDArray[np.float64]:
    """(n, 4) read-only boxes."""
    return frozen(np.array(rows, dtype=np.float64).reshape(-1, 4))


def detections(*rows: list[float], **columns: Any) -> Detections:
    """Detections `d-0`, `d-1`, ... of class `plate` on `image`, of 320x240 pixels unless said otherwise.

    Masks are given as (n, h, w) bool.
    """
    count = len(rows)
    image_wh = columns.pop("image_wh", (320, 240))
    values: dict[str, Any] = {
        "xyxy": boxes(*rows),
        "confidence": frozen(np.full(count, 0.5)),
        "class_id": frozen(np.zeros(count, dtype=np.int64)),
        "class_name": frozen(np.array(["plate"] * count, dtype=np.str_)),
        "detection_id": frozen(np.array([f"d-{index}" for index in range(count)], dtype=np.str_)),
        "parent_id": frozen(np.array(["image"] * count, dtype=np.str_)),
        "image_wh": image_wh,
        "placement": None if image_wh is None else Placement.of_upload("image", image_wh),
    }
    if "masks" in columns:
        columns["masks"] = Masks.of_arrays(columns["masks"])
    for name, column in columns.items():
        values[name] = frozen(column) if isinstance(column, np.ndarray) else column
    return Detections(**values)


def image(pixels: NDArray[np.uint8], image_id: str = "image") -> Image:
    """An uploaded image of (h, w, 3) or (h, w) pixels."""
    height, width = pixels.shape[:2]
    return Image.from_pixels(
        frozen(pixels), Placement.of_upload(image_id, (width, height)), VideoMetadata.of_still(image_id)
    )


def numbered_pixels(width: int, height: int) -> NDArray[np.uint8]:
    """(h, w, 3) pixels that say where they are: blue is the column, green the row."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, :, 0] = np.arange(width)
    pixels[:, :, 1] = np.arange(height)[:, None]
    return pixels
