"""Boxes between a network's output and the picture: what every architecture's decoding gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawBoxes:
    """n boxes of one picture that passed their threshold, before suppression.

    Attributes:
        xyxy: (n, 4) float32, in the unit of the architecture.
        confidence: (n,) float32.
        class_id: (n,) int64, of the network.
        row: (n,) int64: which row of the network's output each box is, where the rest of what is known of it stands.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    row: NDArray[np.int64]

    def select(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> RawBoxes:
        """Some of the boxes, by position or by a mask."""
        return RawBoxes(
            xyxy=self.xyxy[chosen],
            confidence=self.confidence[chosen],
            class_id=self.class_id[chosen],
            row=self.row[chosen],
        )

    def finite(self) -> RawBoxes:
        """The boxes without those that a broken network gave: a corner or score that is infinite or no number."""
        usable = np.isfinite(self.xyxy).all(axis=1) & np.isfinite(self.confidence)
        return self if usable.all() else self.select(usable)


def corners(cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4) float32 corners of boxes given by centre x and y, width and height."""
    half = cxcywh[:, 2:] / np.float32(2)
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1, dtype=np.float32)
