"""Masks as YOLO networks give them: prototypes that all objects of a picture share, mixed by numbers of each object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.network_output import Outputs, positions_of_rank


def mixed(coefficients: NDArray[np.float32], prototypes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, h, w) float32: for each object the sum of the prototypes, each times the object's number for it.

    Args:
        coefficients: (n, m); n may be 0.
        prototypes: (m, h, w).
    """
    count, height, width = prototypes.shape
    return (coefficients @ prototypes.reshape(count, height * width)).reshape(len(coefficients), height, width)


def find_prototypes(outputs: Outputs) -> tuple[int, int, int] | None:
    """Positions of the one output with three axes and of the one with four, and how many prototypes this holds."""
    rows, prototypes = positions_of_rank(outputs, 3), positions_of_rank(outputs, 4)
    if len(rows) != 1 or len(prototypes) != 1:
        return None
    return rows[0], prototypes[0], outputs[prototypes[0]].shape[1]
