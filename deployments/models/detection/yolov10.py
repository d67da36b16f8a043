"""The output of YOLOv10: a row for each box that the network chose itself, the surest first."""

from __future__ import annotations

import numpy as np

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.chosen_rows import ROW_COLUMNS, boxes_of_rows
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.thresholds import Threshold, of_classes
from deployments.models.network_output import Outputs


def find(outputs: Outputs) -> OutputRoles | None:
    """One output of shape (b, n, 6)."""
    if len(outputs) != 1 or len(outputs[0].shape) != 3 or outputs[0].shape[2] != ROW_COLUMNS:
        return None
    return OutputRoles(positions=(0,), class_count=None)


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Rows that score more than the threshold of their class, in the order of the network.

    Args:
        outputs: (n, 6): left, top, right, bottom in canvas pixels, score, class.
        threshold: a score equal to it does not pass.
    """
    boxes = boxes_of_rows(outputs[0])
    passes = boxes.confidence > np.float32(of_classes(threshold, boxes.class_id))
    return boxes.select(passes)


YOLOV10 = DetectionArchitecture(
    name="yolov10",
    layout="one tensor [batch, boxes, 6] of left, top, right, bottom, score and class",
    find=find,
    decode=decode,
    selection=Selection.FIRST,
    trained_with=trained_steps.of_yolo,
)
