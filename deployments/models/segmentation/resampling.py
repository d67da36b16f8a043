"""Reading a grid of values at the pixels of a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


def linear_weights(length: int, source_length: int) -> Weights:
    """(length, source_length) float32: the share of each source cell in each of `length` cells over the same extent.

    Between the centres of cells values change linearly; where there are fewer cells than in the source, each takes a
    mean over all it covers. Rows sum to 1.
    Source: torch 2.13, torch.nn.functional.interpolate(mode="bilinear", antialias=True) (behaviour).
    """
    reach = max(source_length / length, 1.0)
    centres = (np.arange(length) + 0.5) * source_length / length
    distances = np.abs(np.arange(source_length) + 0.5 - centres[:, None]) / reach
    weights = np.maximum(0.0, 1.0 - distances)
    shares: Weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def nearest_cells(length: int, source_length: int) -> NDArray[np.int64]:
    """(length,) the source cell that each of `length` cells over the same extent lies in."""
    cells: NDArray[np.int64] = ((np.arange(length) + 0.5) * source_length / length).astype(np.int64)
    return cells
