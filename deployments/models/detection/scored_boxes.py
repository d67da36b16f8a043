"""What an object detector found on one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflows.values.detections import KeyPoints
from workflows.values.masks import Masks


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredBoxes:
    """n boxes, surest first; in the order of the network where that chose them itself.

    Attributes:
        xyxy: (n, 4) float32, whole pixels of the picture as it was given.
        confidence: (n,) float32.
        class_id: (n,) int64.
        class_names: (n,) names.
        masks: the pixels that each object covers; None for models that do not say.
        keypoints: the key points of each object; None for models that do not say.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    class_names: tuple[str, ...]
    masks: Masks | None = None
    keypoints: KeyPoints | None = None

    def __len__(self) -> int:
        return len(self.xyxy)
