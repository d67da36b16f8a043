"""Where the time of one model call went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTiming:
    """Wall-clock time of the three parts of one batch.

    Attributes:
        preprocess_ms: pixels to the network's input.
        inference_ms: the engine, copies to its device and back included.
        postprocess_ms: the network's output to values.
    """

    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float

    @property
    def total_ms(self) -> float:
        """All three together."""
        return self.preprocess_ms + self.inference_ms + self.postprocess_ms


def added_up(timings: Iterable[BatchTiming]) -> BatchTiming:
    """All of them together."""
    parts = list(timings)
    return BatchTiming(
        preprocess_ms=sum(part.preprocess_ms for part in parts),
        inference_ms=sum(part.inference_ms for part in parts),
        postprocess_ms=sum(part.postprocess_ms for part in parts),
    )
