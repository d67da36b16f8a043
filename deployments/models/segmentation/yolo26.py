"""The outputs of YOLO26-seg and of graphs that drop overlapping boxes themselves: chosen rows, and the prototypes."""

from __future__ import annotations

from deployments.models.detection.chosen_rows import ROW_COLUMNS
from deployments.models.detection.logits import sigmoid
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.yolo26 import YOLO26
from deployments.models.network_output import Outputs
from deployments.models.segmentation.architecture import Grids, Rows, SegmentationArchitecture
from deployments.models.segmentation.prototypes import find_prototypes, mixed


def find(outputs: Outputs) -> OutputRoles | None:
    """Outputs (b, n, 6 + m) and (b, m, h, w)."""
    found = find_prototypes(outputs)
    if found is None or outputs[found[0]].shape[2] != ROW_COLUMNS + found[2]:
        return None
    return OutputRoles(positions=found[:2], class_count=None)


def box_tensors(outputs: Tensors) -> Tensors:
    """The first six columns of the rows."""
    return [outputs[0][:, :ROW_COLUMNS]]


def grids(outputs: Tensors, rows: Rows) -> Grids:
    """How likely each cell belongs to the object, from 0 to 1."""
    chosen, prototypes = outputs
    return sigmoid(mixed(chosen[rows, ROW_COLUMNS:], prototypes))


YOLO26_SEG = SegmentationArchitecture(
    name="yolo26",
    layout="tensors [batch, boxes, 6 + masks] and [batch, masks, height, width]",
    find=find,
    boxes=YOLO26,
    box_tensors=box_tensors,
    grids=grids,
    level=0.5,
    within_boxes=True,
)
