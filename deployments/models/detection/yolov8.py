"""The output of YOLOv8, v9, v11 and v12: a column for each anchor, with its box and a score for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.raw_boxes import RawBoxes

BOX_ROWS = 4


def decode(prediction: NDArray[np.float32], threshold: float | NDArray[np.float32]) -> RawBoxes:
    """Anchors whose best class scores more than its threshold, in the order of the network.

    Args:
        prediction: (4 + c, n) float32: centre x and y, width, height in canvas pixels, then c scores from 0 to 1.
        threshold: for all classes, or (c,) float32 by class id; a score equal to it does not pass.
    """
    scores = prediction[BOX_ROWS:]
    best = scores[0] if len(scores) == 1 else scores.max(axis=0)
    if isinstance(threshold, np.ndarray):
        # The lowest threshold first: finding the class of each of 8,400 anchors costs more than all the rest.
        columns = np.flatnonzero(best > threshold.min())
        class_id = scores[:, columns].argmax(axis=0)
        passes = best[columns] > threshold[class_id]
        columns, class_id = columns[passes], class_id[passes]
    else:
        columns = np.flatnonzero(best > threshold)
        class_id = scores[:, columns].argmax(axis=0)
    x, y, width, height = prediction[:BOX_ROWS, columns]
    half_width, half_height = width / 2, height / 2
    xyxy = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)
    return RawBoxes(
        xyxy=xyxy.astype(np.float32, copy=False),
        confidence=best[columns].astype(np.float32, copy=False),
        class_id=class_id.astype(np.int64, copy=False),
    )


def class_count(output_shapes: Sequence[tuple[int, ...]]) -> int | None:
    """Number of classes of one output of shape (b, 4 + c, n), c > 0; None for any other outputs."""
    if len(output_shapes) != 1 or len(output_shapes[0]) != 3 or output_shapes[0][1] <= BOX_ROWS:
        return None
    return output_shapes[0][1] - BOX_ROWS
