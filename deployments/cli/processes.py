"""Stopping everything that was started, and nothing else.

Ray's processes start processes of their own, leave our process group, and may be orphaned half-way through their start.
On Linux the launcher therefore adopts orphans among its descendants: whatever it caused is always found below it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make orphaned descendants children of this process instead of init's. Does nothing outside Linux."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(expected_parent: int) -> None:
    """Have this process receive SIGTERM when its parent dies, however that happens. Does nothing outside Linux."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if sys.platform == "linux" and os.getppid() != expected_parent:
        os.kill(os.getpid(), signal.SIGTERM)  # it died before we asked


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """Ids of all processes below `root`, nearest first, those that wait to be collected left out."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    level = [root]
    while level:
        level = [child for parent in level for child in children.get(parent, [])]
        found += level
    return found


def stop_descendants(root: int, *, patience_s: float, hurry: Event) -> list[int]:
    """End all processes below `root`: SIGTERM, then SIGKILL for those left after `patience_s`; gives those left.

    Args:
        root: this process, or one whose children somebody else collects.
        patience_s: time to end in an orderly way.
        hurry: ends the patience when set.
    """
    _signal(descendants(root), signal.SIGTERM)
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s and not hurry.wait(0.05):
        collect_children()
        if not descendants(root):
            return []
    for _ in range(40):  # a process may start another while it dies
        left = descendants(root)
        if not left:
            break
        _signal(left, signal.SIGKILL)
        time.sleep(0.05)
        collect_children()
    return descendants(root)


def collect_children() -> None:
    """Take the exit status of adopted children that have ended, so that they do not stay as zombies."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _parents() -> list[tuple[int, int]]:
    """(process, its parent) of all living processes."""
    if sys.platform != "linux":
        listing = subprocess.run(["/bin/ps", "-axo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
        rows = (line.split() for line in listing.stdout.splitlines())
        return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]
    pairs = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in parentheses, may hold blanks and parentheses itself.
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    pairs.append((int(entry.name), int(parent)))
    return pairs
