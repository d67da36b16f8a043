"""What a WorkflowRouter tells the one who decides about replicas, in the words of Serve's custom metrics.

A name is `<deployment>|<field of Look>`; `idle_cores` belongs to the machine. Serve takes numbers alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deployments.router.coalescing import CoalescingQueue

ROUTER = "WorkflowRouter"
IDLE_CORES = "idle_cores"
FULL_SHARE = 0.85
"""Share of one core at which the event loop of a WorkflowRouter counts as too busy."""

FULL_WAIT_S = 0.5
"""What that counts as: its work waits in sockets, where nobody can measure how long."""

JIFFIES_S = 100
"""Ticks a second of the times in /proc/stat. Source: proc(5); `USER_HZ` is 100 on every platform that Ray runs on."""

IDLE, IOWAIT = 3, 4
"""Positions among those times of a processor that had nothing to do."""


class ScalingSignals:
    """Reads the queues of one WorkflowRouter, its own processor time and that of its machine."""

    def __init__(
        self,
        queues: Mapping[str, CoalescingQueue[Any, Any, Any]],
        refuses: Callable[[], bool],
        *,
        sees_machine: bool,
        stat_path: Path = Path("/proc/stat"),
    ) -> None:
        """Nothing is read yet.

        Args:
            queues: name of a deployment -> work for it.
            refuses: whether requests are turned away now because of what is under way.
            sees_machine: whether all replicas are on this machine, so that its idle cores count.
            stat_path: of the kernel's counters.
        """
        self._queues = queues
        self._refuses = refuses
        self._stat_path = stat_path if sees_machine and stat_path.exists() else None
        self._read_s = time.monotonic()
        self._own_s = time.process_time()
        self._idle_s = self._machine_idle_s()

    def read(self) -> dict[str, float]:
        """The signals of this moment; of what is a rate, since the last call."""
        now_s, own_s, idle_s = time.monotonic(), time.process_time(), self._machine_idle_s()
        passed_s = max(1e-3, now_s - self._read_s)
        own_share = (own_s - self._own_s) / passed_s
        signals = {
            f"{ROUTER}|busy_s": own_s,
            f"{ROUTER}|wait_s": FULL_WAIT_S if own_share >= FULL_SHARE else 0.0,
            f"{ROUTER}|item_s": 0.0,
            f"{ROUTER}|pending": 1.0,  # the door is never closed
            f"{ROUTER}|refused": 0.0,
        }
        waits_s = {name: queue.longest_wait_s for name, queue in self._queues.items()}
        refused_s = max(waits_s.values(), default=0.0) if self._refuses() else 0.0
        for name, queue in self._queues.items():
            busy_s = queue.counters.computed_ms / 1000
            signals |= {
                f"{name}|busy_s": busy_s,
                f"{name}|wait_s": waits_s[name],
                f"{name}|item_s": busy_s / max(1, queue.counters.items),
                f"{name}|pending": float(queue.pending_items),
                f"{name}|refused": float(0 < waits_s[name] == refused_s),
            }
        if idle_s is not None and self._idle_s is not None:
            signals[IDLE_CORES] = (idle_s - self._idle_s) / passed_s
        self._read_s, self._own_s, self._idle_s = now_s, own_s, idle_s
        return signals

    def _machine_idle_s(self) -> float | None:
        if self._stat_path is None:
            return None
        times = self._stat_path.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return (int(times[IDLE]) + int(times[IOWAIT])) / JIFFIES_S
