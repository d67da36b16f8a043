"""The outputs of RF-DETR-seg: queries with a box, a logit for each class, and a mask of their own."""

from __future__ import annotations

from deployments.models.detection import rfdetr
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.rfdetr import RFDETR
from deployments.models.network_output import Outputs, positions_of_rank
from deployments.models.segmentation.architecture import Grids, Rows, SegmentationArchitecture


def find(outputs: Outputs) -> OutputRoles | None:
    """Outputs (b, q, 4), (b, q, c) and (b, q, h, w)."""
    masks, rest = positions_of_rank(outputs, 4), positions_of_rank(outputs, 3)
    if len(masks) != 1 or len(rest) != 2:
        return None
    roles = rfdetr.find([outputs[position] for position in rest])
    if roles is None or outputs[rest[0]].shape[1] != outputs[masks[0]].shape[1]:
        return None
    positions = (*(rest[position] for position in roles.positions), masks[0])
    return OutputRoles(positions=positions, class_count=roles.class_count)


def box_tensors(outputs: Tensors) -> Tensors:
    """Boxes and logits."""
    return outputs[:2]


def grids(outputs: Tensors, rows: Rows) -> Grids:
    """How sure the network is that each cell belongs to the object: above 0 it is more likely than not."""
    return outputs[2][rows]


RFDETR_SEG = SegmentationArchitecture(
    name="rfdetr",
    layout="boxes [batch, queries, 4], logits [batch, queries, classes] and masks [batch, queries, height, width]",
    find=find,
    boxes=RFDETR,
    box_tensors=box_tensors,
    grids=grids,
    level=0.0,
    within_boxes=False,
)
