"""The output of YOLOv8-pose, v11 and v12: a column for each anchor: its box, a score for each class, its key points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.yolov8 import BOX_ROWS, YOLOV8
from deployments.models.keypoints.architecture import NUMBERS_A_POINT, KeypointArchitecture
from deployments.models.network_output import Outputs


def find(outputs: Outputs, points: int) -> OutputRoles | None:
    """One output (b, 4 + c + 3k, n) with no more rows than columns, c > 0."""
    if len(outputs) != 1 or len(outputs[0].shape) != 3:
        return None
    _, rows, columns = outputs[0].shape
    classes = rows - BOX_ROWS - NUMBERS_A_POINT * points
    return None if classes < 1 or rows > columns else OutputRoles(positions=(0,), class_count=classes)


def box_tensors(outputs: Tensors, points: int) -> Tensors:
    """The columns of the anchors without their key points."""
    return [outputs[0][: -NUMBERS_A_POINT * points]]


def key_points(outputs: Tensors, points: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, k, 3) float32 of n anchors."""
    return outputs[0][-NUMBERS_A_POINT * points :, rows].T.reshape(len(rows), points, NUMBERS_A_POINT)


YOLOV8_POSE = KeypointArchitecture(
    name="yolov8",
    layout="one tensor [batch, 4 + classes + 3 * key points, anchors]",
    find=find,
    boxes=YOLOV8,
    box_tensors=box_tensors,
    points=key_points,
)
