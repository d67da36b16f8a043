"""The output of YOLO26-pose and of graphs that drop overlapping boxes themselves: chosen rows with their key points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.chosen_rows import ROW_COLUMNS
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.yolo26 import YOLO26
from deployments.models.keypoints.architecture import NUMBERS_A_POINT, KeypointArchitecture
from deployments.models.network_output import Outputs


def find(outputs: Outputs, points: int) -> OutputRoles | None:
    """One output (b, n, 6 + 3k)."""
    if len(outputs) != 1 or outputs[0].shape[2:] != (ROW_COLUMNS + NUMBERS_A_POINT * points,):
        return None
    return OutputRoles(positions=(0,), class_count=None)


def box_tensors(outputs: Tensors, points: int) -> Tensors:
    """The first six columns of the rows."""
    return [outputs[0][:, :ROW_COLUMNS]]


def key_points(outputs: Tensors, points: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, k, 3) float32 of n rows."""
    return outputs[0][rows, ROW_COLUMNS:].reshape(len(rows), points, NUMBERS_A_POINT)


YOLO26_POSE = KeypointArchitecture(
    name="yolo26",
    layout="one tensor [batch, boxes, 6 + 3 * key points]",
    find=find,
    boxes=YOLO26,
    box_tensors=box_tensors,
    points=key_points,
)
