"""The output of YOLOv8, v9, v11 and v12: a column for each anchor, with its box and a score for each class."""

from __future__ import annotations

from collections.abc import Callable

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.class_scores import surest_classes
from deployments.models.detection.outputs import OutputRoles, Tensors, anchor_count
from deployments.models.detection.raw_boxes import RawBoxes, corners
from deployments.models.detection.thresholds import Threshold
from deployments.models.network_output import Outputs

BOX_ROWS = 4


def find(outputs: Outputs) -> OutputRoles | None:
    """One output of shape (b, 4 + c, n), c > 0, with no more rows than columns."""
    return _roles(outputs, lambda rows, columns: rows <= columns)


def find_by_anchors(outputs: Outputs, input_hw: tuple[int, int]) -> OutputRoles | None:
    """One output of shape (b, 4 + c, n), c > 0, with a column for each anchor: of many classes on a small canvas there
    are more rows than columns.

    Only the cells of three feature maps count: with those of a fourth, a canvas of 64 x 64 has 85, which is also how
    many numbers YOLOv5 gives of a box for the 80 classes of COCO.
    """
    return _roles(outputs, lambda _, columns: columns == anchor_count(input_hw))


def _roles(outputs: Outputs, fits: Callable[[int, int], bool]) -> OutputRoles | None:
    """The one output when it has boxes, classes, and rows and columns that fit."""
    if len(outputs) != 1 or len(outputs[0].shape) != 3:
        return None
    _, rows, columns = outputs[0].shape
    if rows <= BOX_ROWS or not fits(rows, columns):
        return None
    return OutputRoles(positions=(0,), class_count=rows - BOX_ROWS)


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Anchors whose best class scores more than its threshold, in the order of the network.

    Args:
        outputs: (4 + c, n): centre x and y, width, height in canvas pixels, then c scores from 0 to 1.
        threshold: a score equal to it does not pass.
    """
    (prediction,) = outputs
    columns, class_id, confidence = surest_classes(prediction[BOX_ROWS:].T, threshold)
    xyxy = corners(prediction[:BOX_ROWS, columns].T)
    return RawBoxes(xyxy=xyxy, confidence=confidence, class_id=class_id, row=columns)


YOLOV8 = DetectionArchitecture(
    name="yolov8",
    layout="one tensor [batch, 4 + classes, anchors]",
    find=find,
    find_by_anchors=find_by_anchors,
    decode=decode,
    selection=Selection.SUPPRESSION,
    trained_with=trained_steps.of_yolo,
)
