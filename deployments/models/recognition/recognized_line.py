"""What a text recognizer read on one crop."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.models.timing import BatchTiming


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedLine:
    """One line of text.

    Attributes:
        text: what was read; empty when nothing was.
        confidence: 0 to 1; 0 when nothing was read.
        xyxy: where it stands on the crop, whole pixels; the whole crop when the network does not say.
    """

    text: str
    confidence: float
    xyxy: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedBatch:
    """Answer to one batch.

    Attributes:
        lines: one for each crop, in order.
        timing: where the time went.
    """

    lines: list[RecognizedLine]
    timing: BatchTiming
