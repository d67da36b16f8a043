"""Rows of six numbers: boxes that a network chose itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.raw_boxes import RawBoxes

ROW_COLUMNS = 6
CLASSES_END = 2.0**31
"""No class has such a number; a float above it may be no whole number at all."""


def boxes_of_rows(rows: NDArray[np.float32]) -> RawBoxes:
    """All boxes of (n, 6) rows of left, top, right, bottom, score and class, in their order.

    Rows of a class that cannot be, and those with a number that is none, stand for no box and are left out.
    """
    usable = np.flatnonzero(np.isfinite(rows).all(axis=1) & (rows[:, 5] >= 0) & (rows[:, 5] < CLASSES_END))
    rows = rows[usable]
    return RawBoxes(xyxy=rows[:, :4], confidence=rows[:, 4], class_id=rows[:, 5].astype(np.int64), row=usable)
