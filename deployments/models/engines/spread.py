"""Whether a run of a network is spread over cores that have nothing else to do, or keeps to its own thread."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOAD_PATH = Path("/proc/loadavg")
"""Its fourth field is `<running>/<all>` tasks of the machine at this moment. Source: proc_loadavg(5)."""

QUOTA_PATHS = (Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"))
"""Processor time that a container may have, in version 2 and 1 of control groups: `max` or -1 is all.
Source: the kernel's admin-guide/cgroup-v2.rst, scheduler/sched-bwc.rst."""

MOST_THREADS = 4
"""Threads that a run is spread over by default: a single picture keeps few more busy."""

WORTH_S = 0.01
"""Shorter runs are never spread: threads cost as much to wake as they save."""

NEEDED_GAIN = 1.25
"""How many times faster a spread run has to be; else the processor time that it costs on top is not worth it."""

TRIALS = 3
"""Runs of a size, either way, before the two are compared."""

LOOKS, BETWEEN_LOOKS_S = 3, 0.0003
"""How often idle cores are looked for: many tasks that happen to run at a moment are over at the next."""

OTHER_WAY_RUNS = 32
"""One run of so many goes the way that is not thought the better one."""

NEWEST_SHARE = 0.2
"""Weight of the newest run in the mean."""


def whole_machine_cores() -> int:
    """Cores that this process may use; 1 where others may have the rest of the machine, or nobody knows."""
    cores = os.cpu_count() or 1
    if not LOAD_PATH.exists() or len(os.sched_getaffinity(0)) < cores:
        return 1
    for path in QUOTA_PATHS:
        if path.exists() and path.read_text(encoding="ascii").split()[0] not in ("max", "-1"):
            return 1  # who shares the quota, and what they run at this moment, is not to be seen from here
    return cores


def spread_threads(wanted: int | None) -> int:
    """Threads of a run that is spread: as many as are wanted, or by default; 1 where nobody can tell what is idle."""
    if wanted is None:
        return min(MOST_THREADS, whole_machine_cores())
    return wanted if LOAD_PATH.exists() else 1


def idle_cores() -> int:
    """Cores of the machine that nothing runs on at this moment, the caller left out."""
    running = int(LOAD_PATH.read_text(encoding="ascii").split()[3].partition("/")[0])
    return (os.cpu_count() or 1) - running


class SpreadChoice:
    """Chooses for each run of one network, and learns from how long the runs took.

    A run is spread while enough cores are idle, and if that is worth it for runs of this size: convolutions on a large
    picture are, a recurrent network on one line of text is not. Only runs that found idle cores are compared.

    Args:
        threads: that a spread run has.
        alone: threads of one that is not spread.
        idle: how many cores are idle now.
        sleep: lets seconds pass.
    """

    def __init__(
        self,
        threads: int,
        alone: int = 1,
        idle: Callable[[], int] = idle_cores,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._needed = threads - alone
        self._idle = idle
        self._sleep = sleep
        self._sizes: dict[int, _RunsOfSize] = {}

    def spreads(self, elements: int) -> bool:
        """Whether to spread a run whose inputs have so many elements. Say `ran` when it is over."""
        runs = self._sizes.setdefault(elements.bit_length(), _RunsOfSize())  # up to twice as many are about the same
        runs.compared = runs.shortest_alone_s * elements >= WORTH_S and self._finds_idle_cores()
        return runs.compared and runs.next_is_spread()

    def ran(self, elements: int, took_s: float, *, spread: bool) -> None:
        """The run took so long."""
        runs = self._sizes[elements.bit_length()]
        if not spread:
            runs.shortest_alone_s = min(runs.shortest_alone_s, took_s / elements)
        if runs.compared:
            (runs.spread if spread else runs.alone).add(took_s / elements)

    def _finds_idle_cores(self) -> bool:
        for looks_left in reversed(range(LOOKS)):
            if self._idle() >= self._needed:
                return True
            if looks_left:
                self._sleep(BETWEEN_LOOKS_S)
        return False


@dataclass(slots=True)
class _Runs:
    """How many there were, and how long they took of late, by the element of the inputs."""

    count: int = 0
    element_s: float = 0.0

    def add(self, element_s: float) -> None:
        self.element_s += (element_s - self.element_s) * max(NEWEST_SHARE, 1 / (self.count + 1))
        self.count += 1


@dataclass(slots=True)
class _RunsOfSize:
    """Runs of about one size, both ways.

    Attributes:
        alone: those that were not spread, of those that are compared.
        spread: those that were.
        shortest_alone_s: the shortest that was not spread, by the element, whatever else the machine did.
        compared: whether the one under way counts, since it found idle cores.
    """

    alone: _Runs = field(default_factory=_Runs)
    spread: _Runs = field(default_factory=_Runs)
    shortest_alone_s: float = math.inf
    compared: bool = False

    def next_is_spread(self) -> bool:
        if min(self.alone.count, self.spread.count) < TRIALS:
            return self.spread.count < self.alone.count
        worth_it = self.spread.element_s * NEEDED_GAIN <= self.alone.element_s
        other_way = (self.alone.count + self.spread.count) % OTHER_WAY_RUNS == 0
        return worth_it != other_way
