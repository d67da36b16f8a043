"""How fast replicas do their calls: when one is free for the next, and among how many of them work is best shared."""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST_KEYS = 256
"""Of which the speed is remembered."""

MEMORY = 0.9
"""What a call counts beside the one after it, when the past is weighed."""

MARGIN = 0.15
"""Share of a call's expected time by which it may be over sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUnderWay(Generic[K]):
    """A call that has left and not come back.

    Attributes:
        key: what its items share.
        items: how many.
        left_s: when it left.
    """

    key: K
    items: int
    left_s: float


class CallTimes:
    """What calls take, as a fixed part and one for each item: a weighted least-squares line that forgets."""

    def __init__(self) -> None:
        self._weight = self._items = self._seconds = self._items_squared = self._product = 0.0

    def learn(self, items: int, taken_s: float) -> None:
        """Take down one call."""
        self._weight = MEMORY * self._weight + 1
        self._items = MEMORY * self._items + items
        self._seconds = MEMORY * self._seconds + taken_s
        self._items_squared = MEMORY * self._items_squared + items * items
        self._product = MEMORY * self._product + items * taken_s

    def expected_s(self, items: int) -> float:
        """What a call of so many items will take, in seconds; 0 before any was seen."""
        fixed_s, item_s = self.line()
        return fixed_s + item_s * items

    def line(self) -> tuple[float, float]:
        """What a call takes, and what each of its items, in seconds; zeros before any was seen."""
        if not self._weight:
            return 0.0, 0.0
        spread = self._weight * self._items_squared - self._items**2
        slope = self._seconds / self._items  # calls of one size say nothing of their fixed part
        if spread > 1e-6 * self._items**2:
            slope = max(0.0, (self._weight * self._product - self._items * self._seconds) / spread)
        fixed = (self._seconds - slope * self._items) / self._weight
        return (fixed, slope) if fixed > 0 else (0.0, self._seconds / self._items)


class Pace(Generic[K]):
    """Learns from the calls that come back what is to be expected of those under way."""

    def __init__(self) -> None:
        self._times: dict[K, CallTimes] = {}
        self._way_s = 0.0

    def learn(self, key: K, items: int, *, taken_s: float, way_s: float) -> None:
        """Take down a call that came back.

        Args:
            key: what its items shared.
            items: how many there were; 0 says nothing.
            taken_s: time in which its replica could do nothing else.
            way_s: time it was on its way there and back, waiting for other calls excluded.
        """
        if not items:
            return
        times = self._times.pop(key, None) or CallTimes()
        times.learn(items, taken_s)
        self._times[key] = times  # last, as the one heard of last
        if len(self._times) > MOST_KEYS:
            del self._times[next(iter(self._times))]
        self._way_s = max(0.0, MEMORY * self._way_s + (1 - MEMORY) * way_s) if self._way_s else max(0.0, way_s)

    def leave_at_s(self, under_way: Iterable[CallUnderWay[K]], replicas: int) -> float:
        """When the next call must leave so that it is there when a replica is free; in the past for at once.

        Each replica does its calls one after another, and the next one goes to whichever is free first. Where nothing
        is known of what is under way, the next call leaves at once.

        Args:
            under_way: in the order in which the calls left.
            replicas: that share them; at least one.
        """
        free_s = [0.0] * replicas
        margin_s = 0.0
        for call in under_way:
            times = self._times.get(call.key)
            if times is None:
                return 0.0
            expected_s = times.expected_s(call.items)
            margin_s = max(margin_s, MARGIN * expected_s)
            heapq.heapreplace(free_s, max(free_s[0], call.left_s + self._way_s / 2) + expected_s)
        return free_s[0] - self._way_s - margin_s

    def share(self, key: K, items: int, free_replicas: int) -> int:
        """How many of the items that wait the next call should carry, when several replicas have nothing to do.

        All of them, unless calls that are smaller are over sooner by more than a call's way takes. A call shall take at
        least as long for its items as it takes for itself, else replicas are kept busy for little.

        Args:
            key: what the items share.
            items: how many wait; at least one.
            free_replicas: that could begin at once.
        """
        times = self._times.get(key)
        if times is None or free_replicas < 2:
            return items
        fixed_s, item_s = times.line()
        most_calls = items if fixed_s == 0 else math.floor(items * item_s / fixed_s)
        shared = math.ceil(items / max(1, min(free_replicas, most_calls, items)))
        return shared if (items - shared) * item_s > self._way_s else items
