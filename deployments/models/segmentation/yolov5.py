"""The outputs of YOLOv5-seg and v7-seg: a row for each anchor, mask coefficients last, and the prototypes."""

from __future__ import annotations

from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.yolov5 import OBJECTNESS, YOLOV5
from deployments.models.network_output import Outputs
from deployments.models.segmentation.architecture import Grids, Rows, SegmentationArchitecture
from deployments.models.segmentation.prototypes import find_prototypes, mixed


def find(outputs: Outputs) -> OutputRoles | None:
    """Outputs (b, n, 5 + c + m) with no fewer rows than columns, c > 0, and (b, m, h, w)."""
    found = find_prototypes(outputs)
    if found is None:
        return None
    anchors, prototypes, count = found
    _, rows, columns = outputs[anchors].shape
    classes = columns - OBJECTNESS - 1 - count
    if classes < 1 or rows < columns:
        return None
    return OutputRoles(positions=(anchors, prototypes), class_count=classes)


def box_tensors(outputs: Tensors) -> Tensors:
    """The rows of the anchors without their mask coefficients."""
    anchors, prototypes = outputs
    return [anchors[:, : -len(prototypes)]]


def grids(outputs: Tensors, rows: Rows) -> Grids:
    """How sure the network is that each cell belongs to the object: above 0 it is more likely than not."""
    anchors, prototypes = outputs
    return mixed(anchors[rows, -len(prototypes) :], prototypes)


YOLOV5_SEG = SegmentationArchitecture(
    name="yolov5",
    layout="tensors [batch, anchors, 5 + classes + masks] and [batch, masks, height, width]",
    find=find,
    boxes=YOLOV5,
    box_tensors=box_tensors,
    grids=grids,
    level=0.0,
    within_boxes=True,
)
