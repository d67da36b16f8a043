"""Masks to outlines and outlines to masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

FAR_PX = 1_000_000
"""Corners further out are moved here: OpenCV walks every row between them, and counts with 32 bits."""


def polygon_window(polygon_xy: NDArray[np.float64], image_wh: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part of an image that holds all pixels of a polygon; all 0 when it has none.

    Args:
        polygon_xy: (k, 2) pixels, rounded to whole ones; k may be 0.
        image_wh: size of the image.
    """
    if not len(polygon_xy):
        return 0, 0, 0, 0
    corners = _whole(polygon_xy)
    left, top = np.maximum(corners.min(axis=0), 0).tolist()
    right, bottom = np.minimum(corners.max(axis=0) + 1, image_wh).tolist()
    return (left, top, right - left, bottom - top) if left < right and top < bottom else (0, 0, 0, 0)


def fill_window(polygon_xy: NDArray[np.float64], window_ltwh: tuple[int, int, int, int]) -> Mask:
    """(h, w) bool: what a window of an image shows of the inside of a polygon and of its outline.

    It shows the same pixels as the whole image would when the window is cut by the border of the image alone: OpenCV
    moves lines a little where it cuts them.

    Args:
        polygon_xy: (k, 2) pixels of the image, rounded to whole ones; k may be 0.
        window_ltwh: left, top, width and height.
    """
    left, top, width, height = window_ltwh
    canvas = np.zeros((height, width), dtype=np.uint8)
    if len(polygon_xy) and canvas.size:
        cv2.fillPoly(canvas, [_whole(polygon_xy) - np.array([left, top], dtype=np.int32)], color=(1,))
    return canvas.view(np.bool_)


def _whole(polygon_xy: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(np.clip(polygon_xy, -FAR_PX, FAR_PX)).astype(np.int32)


def outline(mask: Mask, *, outer: bool = False) -> NDArray[np.int32] | None:
    """(k, 2) pixels: the contour of a mask that encloses most; None for a mask without pixels.

    Straight runs are reduced to their ends.

    Args:
        mask: (h, w).
        outer: whether only contours that lie in no other are looked at, and the one with most corners is taken.

    Source: `inference` 1.8.3, whose workflows go by area, and whose routes of models by corners.
    """
    if not mask.size:
        return None
    mode = cv2.RETR_EXTERNAL if outer else cv2.RETR_TREE
    contours, _ = cv2.findContours(mask.astype(np.uint8), mode, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    return max(contours, key=len if outer else cv2.contourArea).reshape(-1, 2).astype(np.int32)


def tight_window(mask: Mask) -> tuple[slice, slice]:
    """Columns and rows of the smallest window with all pixels of an (h, w) mask; empty slices when it has none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return slice(0, 0), slice(0, 0)
    return slice(int(columns[0]), int(columns[-1]) + 1), slice(int(rows[0]), int(rows[-1]) + 1)
