"""The outputs of RF-DETR and graphs like it: a fixed number of queries, each with a box and a logit for each class."""

from __future__ import annotations

import numpy as np

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.logits import sigmoid
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes, corners
from deployments.models.detection.thresholds import Threshold, lowest, of_classes
from deployments.models.network_output import Outputs, positions_of_rank

NAMES = (("dets", "labels"), ("pred_boxes", "pred_logits"), ("pred_boxes", "logits"))
"""What exporters call the boxes and the logits."""

BOX_COLUMNS = 4


def find(outputs: Outputs) -> OutputRoles | None:
    """Outputs (b, q, 4) and (b, q, c), by their names; by their shapes where they have others."""
    named = find_by_name(outputs)
    if named is not None:
        return named
    rank_3 = positions_of_rank(outputs, 3)
    if len(rank_3) != 2 or len(outputs) != 2:
        return None
    columns = [outputs[position].shape[2] for position in rank_3]
    if BOX_COLUMNS not in columns:
        return None
    boxes = columns.index(BOX_COLUMNS)
    return _roles(outputs, boxes, 1 - boxes)


def find_by_name(outputs: Outputs) -> OutputRoles | None:
    """The outputs that are called as in a DETR graph, whatever else the graph gives."""
    positions = {output.name: position for position, output in enumerate(outputs)}
    for boxes, logits in NAMES:
        if boxes in positions and logits in positions:
            return _roles(outputs, positions[boxes], positions[logits])
    return None


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """The q surest pairs of query and class that score more than the threshold of the class, surest first.

    One query can be answered as several classes. Of equally sure pairs the first comes first.

    Args:
        outputs: boxes (q, 4) as centre x and y, width and height in fractions of the canvas, and logits (q, c).
        threshold: a score equal to it does not pass.

    Returns:
        Boxes in fractions of the canvas.
    """
    cxcywh, logits = outputs
    scores = sigmoid(logits).ravel()
    pairs = np.flatnonzero(scores > np.float32(lowest(threshold)))
    surest = pairs[np.argsort(-scores[pairs], kind="stable")][: len(cxcywh)]
    query, class_id = np.divmod(surest, logits.shape[1])
    passes = scores[surest] > np.float32(of_classes(threshold, class_id))
    query, class_id = query[passes], class_id[passes]
    return RawBoxes(xyxy=corners(cxcywh[query]), confidence=scores[surest[passes]], class_id=class_id, row=query)


def _roles(outputs: Outputs, boxes: int, logits: int) -> OutputRoles | None:
    box_shape, logit_shape = outputs[boxes].shape, outputs[logits].shape
    if len(box_shape) != 3 or len(logit_shape) != 3 or box_shape[1] != logit_shape[1] or box_shape[2] != BOX_COLUMNS:
        return None
    return OutputRoles(positions=(boxes, logits), class_count=logit_shape[2])


RFDETR = DetectionArchitecture(
    name="rfdetr",
    layout="boxes [batch, queries, 4] and logits [batch, queries, classes]",
    find=find,
    decode=decode,
    selection=Selection.ALL,
    boxes_are_fractions=True,
    unnamed_is_background=True,
    trained_with=trained_steps.of_rfdetr,
)
