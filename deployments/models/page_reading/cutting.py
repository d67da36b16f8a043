"""Regions of text cut out of their picture and set upright."""

from __future__ import annotations

import cv2
import numpy as np

from deployments.models.text_detection.text_regions import Quads
from workflows.values.image import Pixels

MAX_CUT_SIDE_PX = 4096
"""Longer sides are shrunk to this; a recognizer takes less than a hundred rows."""


def cut_region(image: Pixels, quad: Quads) -> Pixels:
    """What a rectangle shows, its top left corner at the top left.

    An upright one is a window of the picture, nothing is copied.

    Args:
        image: (h, w, 3) BGR or (h, w) grey uint8; not written to.
        quad: (4, 2) corners from top left clockwise, pixels; may reach beyond the picture, whose border is continued
            there when the rectangle is turned.

    Returns:
        Pixels of the same kind, of any size; none when the rectangle lies beside the picture.
    """
    height, width = image.shape[:2]
    if quad[0, 1] == quad[1, 1] and quad[0, 0] == quad[3, 0]:
        left, top = (max(0, int(value)) for value in np.floor(quad[0]))
        right, bottom = (int(value) for value in np.ceil(quad[2]))
        return image[top : max(top, min(bottom, height)), left : max(left, min(right, width))]
    length = float(np.linalg.norm(quad[1] - quad[0]))
    depth = float(np.linalg.norm(quad[3] - quad[0]))
    shrink = min(1.0, MAX_CUT_SIDE_PX / max(length, depth))
    cut_w, cut_h = max(1, round(length * shrink)), max(1, round(depth * shrink))
    target = np.array([[0, 0], [cut_w, 0], [0, cut_h]], dtype=np.float32)
    # Corners are borders of pixels, and the warp counts from their centres.
    matrix = cv2.getAffineTransform(quad[[0, 1, 3]] - np.float32(0.5), target - np.float32(0.5))
    cut = cv2.warpAffine(image, matrix, (cut_w, cut_h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cut.astype(np.uint8, copy=False)
