"""The output of a classifier's network as scores from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.logits import sigmoid
from deployments.models.package_layouts.contents import ClassScores

Scores = NDArray[np.float32]

SUM_TOLERANCE = 1e-3
"""Of scores that a graph in half precision makes sum to one."""


def scores_of(outputs: Scores, kind: ClassScores) -> Scores:
    """(c,) float32 scores of one picture.

    Args:
        outputs: (c,) float32 of the network.
        kind: what they are.
    """
    match kind:
        case ClassScores.SOFTMAX:
            return softmax(outputs)
        case ClassScores.SIGMOID:
            return sigmoid(outputs)
        case ClassScores.FINAL:
            return outputs


def softmax(logits: Scores) -> Scores:
    """(c,) float32 shares of e to the power of each logit; never overflows. c > 0."""
    powers = np.exp(logits - logits.max())
    shares: Scores = powers / powers.sum()
    return shares


def are_shares(outputs: Scores) -> bool:
    """Whether (n, c) outputs are scores already, of classes of which one applies: from 0 to 1, and 1 together."""
    in_range = bool(((outputs >= 0) & (outputs <= 1)).all())
    return in_range and bool((abs(outputs.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE).all())
