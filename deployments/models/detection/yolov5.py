"""The output of YOLOv5: a row for each anchor, with its box, its objectness and a score for each class."""

from __future__ import annotations

import numpy as np

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes, corners
from deployments.models.detection.thresholds import Threshold, of_classes
from deployments.models.network_output import Outputs, positions_of_rank

OBJECTNESS = 4
FEATURE_MAP_RANK = 5
"""Older exports give the three feature maps [batch, anchors, rows, columns, 5 + classes] beside the decoded rows."""


def find(outputs: Outputs) -> OutputRoles | None:
    """One output of shape (b, n, 5 + c), c > 0, with no fewer rows than columns.

    Feature maps beside it are not read.
    """
    decoded, maps = positions_of_rank(outputs, 3), positions_of_rank(outputs, FEATURE_MAP_RANK)
    if len(decoded) != 1 or len(decoded) + len(maps) != len(outputs):
        return None
    _, rows, columns = outputs[decoded[0]].shape
    if columns <= OBJECTNESS + 1 or rows < columns:
        return None
    return OutputRoles(positions=(decoded[0],), class_count=columns - OBJECTNESS - 1)


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Anchors that are surer of an object than the threshold of their best class, in the order of the network.

    The confidence of a box is the score of its class alone: neither multiplied with the objectness nor compared.

    Args:
        outputs: (n, 5 + c): centre x and y, width, height in canvas pixels, objectness, then c scores, all from 0 to 1.
        threshold: an objectness equal to it does not pass.
    """
    (prediction,) = outputs
    scores = prediction[:, OBJECTNESS + 1 :]
    objectness = prediction[:, OBJECTNESS]
    if isinstance(threshold, np.ndarray):
        rows = np.flatnonzero(objectness > threshold.min())
        rows = rows[objectness[rows] > of_classes(threshold, scores[rows].argmax(axis=1))]
    else:
        rows = np.flatnonzero(objectness > threshold)
    class_id = scores[rows].argmax(axis=1)
    xyxy = corners(prediction[rows, :OBJECTNESS])
    return RawBoxes(xyxy=xyxy, confidence=scores[rows, class_id], class_id=class_id, row=rows)


YOLOV5 = DetectionArchitecture(
    name="yolov5",
    layout="one tensor [batch, anchors, 5 + classes]",
    find=find,
    decode=decode,
    selection=Selection.SUPPRESSION,
    trained_with=trained_steps.of_yolo,
)
