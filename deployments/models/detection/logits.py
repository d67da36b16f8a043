"""Scores as networks give them before they are turned into probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + e^-x), float32 of the same shape; never overflows."""
    small = np.exp(-np.abs(logits))
    probability = np.where(logits >= 0, np.float32(1), small) / (np.float32(1) + small)
    return probability.astype(np.float32, copy=False)
