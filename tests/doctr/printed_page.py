"""The page that is read."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def printed(*lines: str) -> Pixels:
    pixels = np.full((90 * len(lines) + 60, 500, 3), 255, dtype=np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(pixels, line, (40, 90 * row + 85), cv2.FONT_HERSHEY_DUPLEX, 1.5, (20, 60, 160), 3)
    return pixels


PAGE = printed("INVOICE 2417", "Total 38.50")
