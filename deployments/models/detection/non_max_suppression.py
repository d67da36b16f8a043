"""Dropping boxes that overlap a surer one.

`cv2.dnn.NMSBoxes` is not used: it knows no classes in one call, applies a score threshold of its own and compares in
another precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


def non_max_suppression(
    xyxy: Boxes,
    scores: NDArray[np.float32],
    class_id: NDArray[np.int64],
    *,
    iou_threshold: float,
    max_detections: int,
    class_agnostic: bool = False,
) -> NDArray[np.int64]:
    """Positions of the boxes to keep, surest first; of equally sure ones the first comes first.

    A box is dropped when its intersection over union with a kept, surer box of its class is larger than the threshold.
    Source: torchvision 0.28, ops.batched_nms (behaviour).

    Args:
        xyxy: (n, 4) float32; n may be 0.
        scores: (n,) float32.
        class_id: (n,) int64.
        iou_threshold: overlap that is still allowed.
        max_detections: most boxes to keep.
        class_agnostic: whether boxes of different classes suppress one another.

    Returns:
        (k,) int64, k <= min(n, max_detections).
    """
    waiting = np.argsort(-scores, kind="stable")
    boxes, classes = xyxy[waiting], class_id[waiting]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    threshold = np.float64(iou_threshold)  # a double: an overlap of float32(0.3) is larger than 0.3
    kept: list[int] = []
    while len(waiting) and len(kept) < max_detections:
        kept.append(int(waiting[0]))
        # Not the opposite comparison: the overlap of two boxes without area is no number, and suppresses nothing.
        stays = ~(intersection_over_union(boxes[0], areas[0], boxes[1:], areas[1:]) > threshold)
        if not class_agnostic:
            stays |= classes[1:] != classes[0]
        waiting, boxes, areas, classes = waiting[1:][stays], boxes[1:][stays], areas[1:][stays], classes[1:][stays]
    return np.array(kept, dtype=np.int64)


def intersection_over_union(box: Boxes, area: np.float32, others: Boxes, other_areas: NDArray[np.float32]) -> Boxes:
    """(m,) float32 overlaps of one box with m others; not a number where neither has an area."""
    top_left = np.maximum(box[:2], others[:, :2])
    bottom_right = np.minimum(box[2:], others[:, 2:])
    sides = np.maximum(bottom_right - top_left, np.float32(0))
    common = sides[:, 0] * sides[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap: Boxes = common / (area + other_areas - common)
    return overlap
