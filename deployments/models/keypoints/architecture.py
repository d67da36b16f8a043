"""What must be known of a family of models of key points to read what its networks give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.architecture import DetectionArchitecture
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.network_output import Outputs

NUMBERS_A_POINT = 3
"""Column, row and score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeypointArchitecture:
    """How the outputs of one family of models of key points are read.

    Attributes:
        name: of the layout.
        layout: its outputs in words, for messages.
        find: outputs, and how many key points each object has -> the outputs to read; None where these are not of this
            layout.
        boxes: how the boxes are decoded and chosen.
        box_tensors: what `find` found, for one picture, and the number of key points -> what of it the boxes are
            decoded from.
        points: the same, and rows of boxes -> column and row in canvas pixels and score of each key point, (n, k, 3).
    """

    name: str
    layout: str
    find: Callable[[Outputs, int], OutputRoles | None]
    boxes: DetectionArchitecture
    box_tensors: Callable[[Tensors, int], Tensors]
    points: Callable[[Tensors, int, NDArray[np.int64]], NDArray[np.float32]]
