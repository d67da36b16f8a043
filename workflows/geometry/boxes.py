"""Arithmetic on boxes: corners, centres, moving, growing, clipping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def centres_and_sizes(xyxy: Boxes) -> Boxes:
    """(n, 4) float64: centre x, centre y, width, height of (n, 4) corner boxes."""
    top_left, bottom_right = xyxy[:, :2], xyxy[:, 2:]
    return np.concatenate([(top_left + bottom_right) / 2, bottom_right - top_left], axis=1, dtype=np.float64)


def corners(cxcywh: Boxes) -> Boxes:
    """(n, 4) float64 corner boxes of (n, 4) centre x, centre y, width, height."""
    half = cxcywh[:, 2:] / 2
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1, dtype=np.float64)


def shift_boxes(xyxy: Boxes, dx_px: float, dy_px: float) -> Boxes:
    """Boxes moved right by `dx_px` and down by `dy_px`; a new (n, 4) array."""
    return xyxy + np.array([dx_px, dy_px, dx_px, dy_px], dtype=np.float64)


def grow_boxes(xyxy: Boxes, dx_px: NDArray[np.float64] | float, dy_px: NDArray[np.float64] | float) -> Boxes:
    """Boxes whose left and right sides moved out by `dx_px`, top and bottom by `dy_px`; a new (n, 4) array.

    Args:
        xyxy: (n, 4) corner boxes.
        dx_px: one number, or (n,).
        dy_px: one number, or (n,).
    """
    grown = xyxy.astype(np.float64)
    grown[:, 0] -= dx_px
    grown[:, 1] -= dy_px
    grown[:, 2] += dx_px
    grown[:, 3] += dy_px
    return grown


def clip_boxes(xyxy: Boxes, image_wh: tuple[int, int]) -> Boxes:
    """Boxes whose corners outside the image moved onto its border (0 and the full side included); a new array."""
    width, height = image_wh
    return np.clip(xyxy, 0, np.array([width, height, width, height], dtype=np.float64))


def rounded_corners(xyxy: Boxes) -> list[tuple[int, int, int, int]]:
    """Corners as whole pixels, halves to the even neighbour."""
    return [(left, top, right, bottom) for left, top, right, bottom in np.rint(xyxy).astype(int).tolist()]
