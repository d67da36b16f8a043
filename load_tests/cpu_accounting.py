"""CPU time and memory of a server's whole process tree, told by a process of its own, so that counting delays nobody.

python -m load_tests.cpu_accounting PID      one JSON line a second, and a last one when its standard input ends
"""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from load_tests.results import TreeSample

ROOT = Path(__file__).resolve().parents[1]
EVERY_S = 1.0
PROGRAMS = (
    "ServeController", "HAProxyManager", "ProxyActor", "haproxy", "raylet", "gcs_server", "DashboardAgent",
    "RuntimeEnvAgent", "dashboard.py", "monitor.py", "log_monitor.py", "cluster_process", "deployments.cli.main",
)  # fmt: skip

NAMELESS_WORKER = "default_worker.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeState:
    """A process tree at one moment.

    Attributes:
        at_s: of `time.monotonic`, which all processes of a machine share.
        cpu_s: kind -> CPU seconds so far, of processes that have ended too, as far as they were seen.
        processes: kind -> how many are alive.
        memory_mib: resident, all together.
    """

    at_s: float
    cpu_s: dict[str, float]
    processes: dict[str, int]
    memory_mib: float


def kind_of(command: str) -> str:
    """A deployment's name, or the program's, of a process's command line."""
    if NAMELESS_WORKER in command:  # one that just starts; its arguments name the raylet
        return "other"
    if replica := re.search(r"ServeReplica:[^:]+:(\w+)", command):
        return replica[1]
    return next((name for name in PROGRAMS if name in command), "other")


def is_replica(kind: str) -> bool:
    """Whether processes of a kind are replicas of a deployment, rather than of Ray, Serve or the edge."""
    return kind not in PROGRAMS and kind != "other"


class ProcessTree:
    """A process and everything below it; remembers what ended ones have spent."""

    def __init__(self, root_pid: int) -> None:
        self._root = psutil.Process(root_pid)
        self._spent: dict[psutil.Process, tuple[str, float]] = {}

    def look(self) -> TreeState:
        """The tree now."""
        processes: dict[str, int] = {}
        memory_bytes = 0
        with suppress(psutil.NoSuchProcess):
            for process in (self._root, *self._root.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    # Ray's workers begin nameless: their kind is asked for anew until it is one of those known.
                    kind = self._spent[process][0] if process in self._spent else "other"
                    kind = kind_of(" ".join(process.cmdline())) if kind == "other" else kind
                    self._spent[process] = (kind, times.user + times.system)
                    processes[kind] = processes.get(kind, 0) + 1
                    memory_bytes += process.memory_info().rss
        cpu_s: dict[str, float] = {}
        for kind, seconds in self._spent.values():
            cpu_s[kind] = cpu_s.get(kind, 0.0) + seconds
        return TreeState(at_s=time.monotonic(), cpu_s=cpu_s, processes=processes, memory_mib=memory_bytes / 2**20)


@dataclass(slots=True)
class TreeWatch:
    """What was seen of a tree, in order; filled when the watching ends."""

    states: list[TreeState] = field(default_factory=list)

    def cpu_ms(self, requests: int) -> dict[str, float]:
        """Kind -> CPU milliseconds between the first look and the last, for each of some requests."""
        if len(self.states) < 2 or not requests:
            return {}
        before, after = self.states[0].cpu_s, self.states[-1].cpu_s
        # A worker that was given its name meanwhile would be missed under the old one: shown as no less than nothing.
        return {kind: max(spent - before.get(kind, 0.0), 0.0) * 1000 / requests for kind, spent in after.items()}

    def samples(self) -> tuple[TreeSample, ...]:
        """The states as a result tells them; the first is where the others are counted from."""
        told = []
        for before, now in zip(self.states, self.states[1:], strict=False):
            spent_s = sum(now.cpu_s.values()) - sum(before.cpu_s.values())
            told.append(
                TreeSample(
                    at_s=now.at_s - self.states[0].at_s,
                    processes=now.processes,
                    cpu_cores=spent_s / max(now.at_s - before.at_s, 1e-9),
                    memory_mib=now.memory_mib,
                )
            )
        return tuple(told)


@contextmanager
def watched(root_pid: int | None) -> Iterator[TreeWatch]:
    """Look at a tree once a second, from before the block until after it; None looks at nothing."""
    watch = TreeWatch()
    if root_pid is None:
        yield watch
        return
    watcher = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "load_tests.cpu_accounting", str(root_pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert watcher.stdin  # pipes were asked for
    assert watcher.stdout
    lines = [watcher.stdout.readline()]  # the first look is before the block's first request
    reader = threading.Thread(target=lambda out: lines.extend(out), args=(watcher.stdout,))
    reader.start()
    try:
        yield watch
    finally:
        watcher.stdin.close()
        watcher.wait()
        reader.join()
        watch.states += [TreeState(**json.loads(line)) for line in lines if line.strip()]


def main() -> None:
    """Print states until standard input ends."""
    tree = ProcessTree(int(sys.argv[1]))
    ended = False
    while True:
        state = tree.look()
        print(json.dumps({name: getattr(state, name) for name in TreeState.__slots__}), flush=True)
        if ended:
            return
        ended = bool(select.select([sys.stdin], [], [], EVERY_S)[0])


if __name__ == "__main__":
    main()
