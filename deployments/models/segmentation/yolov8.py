"""The outputs of YOLOv8-seg, v9, v11 and v12: a column for each anchor, mask coefficients last, and the prototypes."""

from __future__ import annotations

from deployments.models.detection.logits import sigmoid
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.yolov8 import BOX_ROWS, YOLOV8
from deployments.models.network_output import Outputs
from deployments.models.segmentation.architecture import Grids, Rows, SegmentationArchitecture
from deployments.models.segmentation.prototypes import find_prototypes, mixed


def find(outputs: Outputs) -> OutputRoles | None:
    """Outputs (b, 4 + c + m, n) with no more rows than columns, c > 0, and (b, m, h, w)."""
    found = find_prototypes(outputs)
    if found is None:
        return None
    anchors, prototypes, count = found
    _, rows, columns = outputs[anchors].shape
    if rows <= BOX_ROWS + count or rows > columns:
        return None
    return OutputRoles(positions=(anchors, prototypes), class_count=rows - BOX_ROWS - count)


def box_tensors(outputs: Tensors) -> Tensors:
    """The columns of the anchors without their mask coefficients."""
    anchors, prototypes = outputs
    return [anchors[: -len(prototypes)]]


def grids(outputs: Tensors, rows: Rows) -> Grids:
    """How likely each cell belongs to the object, from 0 to 1."""
    anchors, prototypes = outputs
    return sigmoid(mixed(anchors[-len(prototypes) :, rows].T, prototypes))


YOLOV8_SEG = SegmentationArchitecture(
    name="yolov8",
    layout="tensors [batch, 4 + classes + masks, anchors] and [batch, masks, height, width]",
    find=find,
    boxes=YOLOV8,
    box_tensors=box_tensors,
    grids=grids,
    level=0.5,
    within_boxes=True,
)
