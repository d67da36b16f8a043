"""Drawing many things a few at a time, so that it stops when nobody waits for the picture any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workflows.values.time_left import check_time

if TYPE_CHECKING:
    import supervision as sv

PART = 32
"""Things drawn between two looks at the clock: a few seconds even for the thickest strokes."""


def draw_in_parts(
    annotator: Any, scene: NDArray[np.uint8], shown: sv.Detections, labels: Sequence[str] | None = None
) -> NDArray[np.uint8]:
    """What `annotator.annotate` makes of all detections at once, for one that draws them one after another.

    Args:
        annotator: of the drawing library, with a `color_lookup`.
        scene: (h, w, 3) or (h, w) pixels; drawn on.
        shown: what to draw.
        labels: one for each, where the annotator writes any.

    Raises:
        DeadlineExceededError: time was over before all were drawn.
    """
    import supervision as sv  # late: it takes seconds, and most processes never draw

    by_index = annotator.color_lookup is sv.ColorLookup.INDEX  # which would begin anew with every part
    for start in range(0, len(shown), PART):
        check_time()
        part = slice(start, start + PART)
        look: dict[str, Any] = {} if labels is None else {"labels": list(labels[part])}
        if by_index:
            look["custom_color_lookup"] = np.arange(len(shown))[part]
        scene = annotator.annotate(scene=scene, detections=shown[part], **look)
    return scene
