"""Boxes between a network's output and the picture: what every architecture's decoding gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawBoxes:
    """n boxes of one picture that passed their threshold, before suppression.

    Attributes:
        xyxy: (n, 4) float32, pixels of the network's canvas.
        confidence: (n,) float32.
        class_id: (n,) int64.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
