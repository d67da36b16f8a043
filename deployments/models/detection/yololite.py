"""The outputs of YOLOLite: corners, objectness and class scores of each anchor, the last two before their sigmoid."""

from __future__ import annotations

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.class_scores import surest_classes
from deployments.models.detection.logits import sigmoid
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.thresholds import Threshold
from deployments.models.network_output import Outputs

DEFAULT_CONFIDENCE = 0.25


def find(outputs: Outputs) -> OutputRoles | None:
    """Three outputs (b, n, 4), (b, n, 1) and (b, n, c), the objectness before the classes when both have one column."""
    if [len(output.shape) for output in outputs] != [3, 3, 3] or len({output.shape[1] for output in outputs}) != 1:
        return None
    columns = [output.shape[2] for output in outputs]
    if 4 not in columns or 1 not in columns:
        return None
    boxes, objectness = columns.index(4), columns.index(1)
    (classes,) = {0, 1, 2} - {boxes, objectness}
    return OutputRoles(positions=(boxes, objectness, classes), class_count=columns[classes])


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Anchors whose best class, the objectness multiplied in, scores more than its threshold.

    Args:
        outputs: corners (n, 4) in canvas pixels, objectness (n, 1) and class scores (n, c) as logits.
        threshold: a score equal to it does not pass.
    """
    xyxy, objectness, classes = outputs
    rows, class_id, confidence = surest_classes(sigmoid(objectness) * sigmoid(classes), threshold)
    return RawBoxes(xyxy=xyxy[rows], confidence=confidence, class_id=class_id, row=rows)


YOLOLITE = DetectionArchitecture(
    name="yololite",
    layout="corners [batch, anchors, 4], objectness [batch, anchors, 1] and class logits [batch, anchors, classes]",
    find=find,
    decode=decode,
    selection=Selection.SUPPRESSION,
    trained_with=trained_steps.of_yolo,
    default_confidence=DEFAULT_CONFIDENCE,
)
