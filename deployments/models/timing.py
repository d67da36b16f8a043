"""Where the time of one model call went, and how long a call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
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


FEWEST_RUNS = 3
ON_CPU = "cpu"


def median_ms(work: Callable[[], object], *, device: str, most_runs: int, timing_s: float) -> float:
    """Milliseconds that a call takes: the median of some, behind a first one that does not count.

    Args:
        work: the call.
        device: where it computes. On `cpu` the time of the calling thread counts, whose clock stands still while others
            compute; any other device is waited for, and the clock on the wall counts.
        most_runs: no more than these.
        timing_s: no more of them after so long, when there are three.
    """
    clock_s = time.thread_time if device == ON_CPU else time.perf_counter
    work()
    took: list[float] = []
    began_s = time.perf_counter()
    while len(took) < FEWEST_RUNS or (len(took) < most_runs and time.perf_counter() - began_s < timing_s):
        before_s = clock_s()
        work()
        took.append((clock_s() - before_s) * 1000)
    return statistics.median(took)


def added_up(timings: Iterable[BatchTiming]) -> BatchTiming:
    """All of them together."""
    parts = list(timings)
    return BatchTiming(
        preprocess_ms=sum(part.preprocess_ms for part in parts),
        inference_ms=sum(part.inference_ms for part in parts),
        postprocess_ms=sum(part.postprocess_ms for part in parts),
    )
