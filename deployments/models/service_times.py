"""How long a device takes for a batch, by the size of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

LONGEST_MS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTimes:
    """Measured or stated times, with straight lines between them.

    Below the smallest batch its time stays, a device fills it up; beyond the largest the last line goes on. With one
    batch alone, larger ones take their share more for each item.

    Attributes:
        ms_by_batch: batch size, ascending -> milliseconds for the whole batch.

    Raises:
        ValueError: there is no batch size at all, one below 1, a time that is not positive or of many days, or a larger
            batch that takes less time than a smaller one.
    """

    ms_by_batch: Mapping[int, float]

    def __post_init__(self) -> None:
        if not self.ms_by_batch:
            raise ValueError("there must be the time of one batch size at least")
        for size, ms in self.ms_by_batch.items():
            if size < 1 or not 0 < ms <= LONGEST_MS:
                limits = f"sizes are 1 or more, and times more than 0 and at most {LONGEST_MS:g}"
                raise ValueError(f"batch {size} takes {ms:g} ms; {limits}")
        points = sorted(self.ms_by_batch.items())
        for (small, less), (large, more) in pairwise(points):
            if more < less:
                raise ValueError(f"batch {large} takes {more:g} ms, less than the {less:g} ms of batch {small}")
        object.__setattr__(self, "ms_by_batch", dict(points))

    @classmethod
    def line(cls, fixed_ms: float, per_item_ms: float) -> ServiceTimes:
        """`fixed_ms + per_item_ms * n` for a batch of n."""
        return cls(ms_by_batch={1: fixed_ms + per_item_ms, 2: fixed_ms + 2 * per_item_ms})

    def ms(self, items: float) -> float:
        """Milliseconds for a batch; of a fraction of items, as means are, where the line passes."""
        points = list(self.ms_by_batch.items())
        first_size, first_ms = points[0]
        if items <= first_size:
            return first_ms
        for (small, less), (large, more) in pairwise(points):
            if items <= large:
                return less + (more - less) * (items - small) / (large - small)
        last_size, last_ms = points[-1]
        slope = last_ms / last_size
        if len(points) > 1:
            size, ms = points[-2]
            slope = (last_ms - ms) / (last_size - size)
        return last_ms + slope * (items - last_size)
