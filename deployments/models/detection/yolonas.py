"""The output of YOLO-NAS: corners and class scores of each anchor, in two tensors or joined in one."""

from __future__ import annotations

from deployments.models.detection import trained_steps
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.class_scores import surest_classes
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.thresholds import Threshold
from deployments.models.network_output import Outputs, positions_of_rank

BOX_COLUMNS = 4


def find(outputs: Outputs) -> OutputRoles | None:
    """Two outputs (b, n, 4) and (b, n, c), or one (b, n, 4 + c).

    Exports that were cut nowhere give raw feature maps behind the two; they are not read.
    """
    if len(outputs) == 1:
        return _find_joined(outputs)
    rank_3 = positions_of_rank(outputs, 3)
    boxes = next((position for position in rank_3 if outputs[position].shape[2] == BOX_COLUMNS), None)
    if boxes is None:
        return None
    anchors = outputs[boxes].shape[1]
    scores = next((at for at in rank_3 if at != boxes and outputs[at].shape[1] == anchors), None)
    if scores is None:
        return None
    if outputs[scores].shape[2] == BOX_COLUMNS and "score" in outputs[boxes].name.lower():
        boxes, scores = scores, boxes
    return OutputRoles(positions=(boxes, scores), class_count=outputs[scores].shape[2])


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Anchors whose best class scores more than its threshold, in the order of the network.

    Args:
        outputs: corners (n, 4) in canvas pixels and scores (n, c) from 0 to 1, or both joined (n, 4 + c).
        threshold: a score equal to it does not pass.
    """
    xyxy, scores = outputs if len(outputs) == 2 else (outputs[0][:, :BOX_COLUMNS], outputs[0][:, BOX_COLUMNS:])
    rows, class_id, confidence = surest_classes(scores, threshold)
    return RawBoxes(xyxy=xyxy[rows], confidence=confidence, class_id=class_id, row=rows)


def _find_joined(outputs: Outputs) -> OutputRoles | None:
    if len(outputs[0].shape) != 3:
        return None
    _, rows, columns = outputs[0].shape
    if columns <= BOX_COLUMNS or rows < columns:
        return None
    return OutputRoles(positions=(0,), class_count=columns - BOX_COLUMNS)


YOLONAS = DetectionArchitecture(
    name="yolonas",
    layout="two tensors, corners [batch, anchors, 4] and scores [batch, anchors, classes]",
    find=find,
    decode=decode,
    selection=Selection.SUPPRESSION,
    trained_with=trained_steps.of_yolo,
)
