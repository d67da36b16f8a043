"""The output of YOLO26, and of every graph that drops overlapping boxes itself (`post_processing.fused`).

Two spellings are found: one tensor of rows, or four tensors of counts, boxes, scores and classes, as exporters of
YOLO-NAS and plugins of TensorRT write them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection import trained_steps, yolov10
from deployments.models.detection.architecture import DetectionArchitecture, Selection
from deployments.models.detection.chosen_rows import boxes_of_rows
from deployments.models.detection.outputs import OutputRoles, Tensors
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.thresholds import Threshold, of_classes
from deployments.models.network_output import Outputs

DEFAULT_CONFIDENCE = 0.25


def find(outputs: Outputs) -> OutputRoles | None:
    """One output of shape (b, n, 6); or four of (b, 1), (b, n, 4), (b, n) and (b, n), the scores before the classes."""
    return yolov10.find(outputs) if len(outputs) == 1 else _find_counted(outputs)


def decode(outputs: Tensors, threshold: Threshold) -> RawBoxes:
    """Rows that score at least the threshold of their class, in the order of the network.

    Args:
        outputs: (n, 6): left, top, right, bottom in canvas pixels, score, class; or the number of boxes (1,), the boxes
            (n, 4), their scores (n,) and classes (n,), where what stands behind that number counts for nothing.
        threshold: a score equal to it passes.
    """
    boxes = boxes_of_rows(outputs[0] if len(outputs) == 1 else _joined(outputs))
    return boxes.select(boxes.confidence >= np.float32(of_classes(threshold, boxes.class_id)))


def _find_counted(outputs: Outputs) -> OutputRoles | None:
    if sorted(len(output.shape) for output in outputs) != [2, 2, 2, 3]:
        return None
    (boxes,) = (position for position, output in enumerate(outputs) if len(output.shape) == 3)
    _, count, columns = outputs[boxes].shape
    flat = [position for position in range(4) if position != boxes]
    counts = [position for position in flat if outputs[position].shape[1] == 1]
    if count == 1:  # a graph that gives one box: only the order tells the number from the score
        counts = flat[:1]
    rest = [position for position in flat if position not in counts]
    if columns != 4 or len(counts) != 1 or any(outputs[position].shape[1] != count for position in rest):
        return None
    if "class" in outputs[rest[0]].name.lower() or "label" in outputs[rest[0]].name.lower():
        rest.reverse()
    return OutputRoles(positions=(counts[0], boxes, *rest), class_count=None)


def _joined(outputs: Tensors) -> NDArray[np.float32]:
    number, boxes, scores, classes = outputs
    chosen = int(number[0]) if np.isfinite(number[0]) else 0
    rows = np.concatenate([boxes, scores[:, None], classes[:, None]], axis=1, dtype=np.float32)
    return rows[: max(0, chosen)]


YOLO26 = DetectionArchitecture(
    name="yolo26",
    layout=(
        "one tensor [batch, boxes, 6] of left, top, right, bottom, score and class, "
        "or four of counts [batch, 1], boxes [batch, boxes, 4], scores and classes [batch, boxes]"
    ),
    find=find,
    decode=decode,
    selection=Selection.ALL,
    trained_with=trained_steps.of_yolo,
    default_confidence=DEFAULT_CONFIDENCE,
)
