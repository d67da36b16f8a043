"""What must be known of a family of instance segmenters to read what its networks give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.architecture import DetectionArchitecture
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.network_output import Outputs

Rows = NDArray[np.int64]
Grids = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationArchitecture:
    """How the outputs of one family of instance segmenters are read.

    Attributes:
        name: of the layout.
        layout: its outputs in words, for messages.
        find: the outputs to read; None where these are not of this layout.
        boxes: how the boxes are decoded and chosen.
        box_tensors: what `find` found, for one picture -> what of it the boxes are decoded from.
        grids: the same, and rows of boxes -> a grid of values for each, (n, h, w).
        level: value above which a pixel belongs to the object.
        within_boxes: whether nothing outside an object's box belongs to it, whatever the values.
    """

    name: str
    layout: str
    find: Callable[[Outputs], OutputRoles | None]
    boxes: DetectionArchitecture
    box_tensors: Callable[[Tensors], Tensors]
    grids: Callable[[Tensors, Rows], Grids]
    level: float
    within_boxes: bool
