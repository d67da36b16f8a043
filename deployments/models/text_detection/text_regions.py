"""Where text stands on one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.timing import BatchTiming

Quads = NDArray[np.float32]
"""(n, 4, 2) float32: top left, top right, bottom right and bottom left corner as a reader sees them, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextRegions:
    """Words or lines of one picture, in no order.

    Attributes:
        quads: (n, 4, 2) rectangles, turned ones included; a corner may lie outside the picture.
        score: (n,) float32, 0 to 1, how sure it is that there is text.
    """

    quads: Quads
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.quads)

    def __iter__(self) -> Iterator[Quads]:
        return iter(self.quads)

    @classmethod
    def none(cls) -> TextRegions:
        """No text."""
        return cls(quads=np.zeros((0, 4, 2), dtype=np.float32), score=np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundText:
    """Answer to one batch.

    Attributes:
        regions: of each picture, in order.
        timing: where the time went.
    """

    regions: list[TextRegions]
    timing: BatchTiming


def envelopes(quads: Quads, image_wh: tuple[int, int]) -> NDArray[np.float64]:
    """(n, 4) xyxy: the upright boxes round the quads, cut at the border of the picture."""
    if not len(quads):
        return np.zeros((0, 4), dtype=np.float64)
    boxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1).astype(np.float64)
    return np.clip(boxes, 0, np.array([*image_wh, *image_wh], dtype=np.float64))
