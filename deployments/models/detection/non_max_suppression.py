"""Dropping boxes that overlap a surer one.

`cv2.dnn.NMSBoxes` is not used: it knows no classes in one call, applies a score threshold of its own and compares in
another precision.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

BLOCK = 256
"""Boxes compared in one go: a small matrix, and of thousands of boxes only the surest are ever looked at."""


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
    order = np.argsort(-scores, kind="stable")
    threshold = np.float64(iou_threshold)  # a double: an overlap of float32(0.3) is larger than 0.3
    kept = order[:0]
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        # The opposite comparison would differ: the overlap of two boxes without area is no number, and drops nothing.
        drops = intersection_over_union(xyxy[kept], xyxy[block]) > threshold
        if not class_agnostic:
            drops &= class_id[kept][:, None] == class_id[block]
        block = block[~drops.any(axis=0)]
        drops = intersection_over_union(xyxy[block], xyxy[block]) > threshold
        if not class_agnostic:
            drops &= class_id[block][:, None] == class_id[block]
        stays = np.ones(len(block), dtype=np.bool_)
        for position in range(len(block)):
            if stays[position]:
                stays[position + 1 :] &= ~drops[position, position + 1 :]
        kept = np.concatenate([kept, block[stays]])
        if len(kept) >= max_detections:
            break
    return kept[:max_detections].astype(np.int64, copy=False)


def intersection_over_union(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """(n, m) float32 overlaps of n boxes with m others; not a number where neither of two has an area."""
    top_left = np.maximum(boxes[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, np.float32(0))
    common = sides[..., 0] * sides[..., 1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        overlap: NDArray[np.float32] = common / (_areas(boxes)[:, None] + _areas(others) - common)
    return overlap


def _areas(boxes: Boxes) -> NDArray[np.float32]:
    sides = boxes[:, 2:] - boxes[:, :2]
    return sides[:, 0] * sides[:, 1]
