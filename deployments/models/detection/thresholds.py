"""One threshold for all classes, or one for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Threshold = float | NDArray[np.float32]
"""A number, or (c + 1,) float32: by class id of the network, the last for every id beyond."""


def lowest(threshold: Threshold) -> float:
    """What a score must at least have to pass for any class."""
    return float(threshold.min()) if isinstance(threshold, np.ndarray) else threshold


def of_classes(threshold: Threshold, class_id: NDArray[np.int64]) -> Threshold:
    """The threshold of each class in (n,) ids: (n,) float32, or the one number for all."""
    if not isinstance(threshold, np.ndarray):
        return threshold
    by_class: NDArray[np.float32] = threshold[np.minimum(class_id, len(threshold) - 1)]
    return by_class
