"""Masks to outlines, outlines to masks, and their movement."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

FAR_PX = 1_000_000
"""Corners further out are moved here: OpenCV walks every row between them, and counts with 32 bits."""


def polygon_to_mask(polygon_xy: NDArray[np.float64], image_wh: tuple[int, int]) -> Mask:
    """(h, w) bool: the inside of a polygon and its outline.

    Args:
        polygon_xy: (k, 2) pixels, cut to whole ones; k may be 0.
        image_wh: size of the mask.
    """
    width, height = image_wh
    canvas = np.zeros((height, width), dtype=np.uint8)
    if len(polygon_xy):
        cv2.fillPoly(canvas, [np.clip(polygon_xy, -FAR_PX, FAR_PX).astype(np.int32)], color=(1,))
    return canvas.astype(np.bool_)


def outline(mask: Mask) -> NDArray[np.int32] | None:
    """(k, 2) pixels: of the contours of a mask the one with most corners; None for a mask without pixels.

    Straight runs are reduced to their ends, so corners count for size as the wire's `points` do.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return None
    return max(contours, key=len).reshape(-1, 2).astype(np.int32)


def window_of_masks(masks: NDArray[np.bool_], xyxy: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """The part of (n, h, w) masks between two corners, sliced as numpy does; a view."""
    left, top, right, bottom = xyxy
    return masks[:, top:bottom, left:right]


def paste_masks(masks: NDArray[np.bool_], left_px: int, top_px: int, canvas_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(n, h, w) masks laid onto an empty canvas with their corner at (`left_px`, `top_px`); what lies outside goes."""
    count, height, width = masks.shape
    canvas_width, canvas_height = canvas_wh
    canvas = np.zeros((count, canvas_height, canvas_width), dtype=np.bool_)
    left, top = max(left_px, 0), max(top_px, 0)
    right, bottom = min(left_px + width, canvas_width), min(top_px + height, canvas_height)
    if right > left and bottom > top:
        canvas[:, top:bottom, left:right] = masks[:, top - top_px : bottom - top_px, left - left_px : right - left_px]
    return canvas
