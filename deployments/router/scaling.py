"""How many replicas a deployment should have, by how long its work waits for them.

Work waits in a WorkflowRouter only while every replica of the deployment has as many calls as it can take, so the wait
itself says that they do not keep up; the number of calls under way does not, for one call carries the work of many
requests. Fewer are enough when those that remain would be less than half busy, and would have been for a while. Between
the two marks nothing changes, and so the number does not swing.

A few clients that wait for one answer before they ask again never let work wait long, and still get no more than the
replicas give. So replicas that are busy all the time are joined by one more where a core of the machine is idle anyway.

Values in, values out: the clock is an argument, and what is remembered goes in and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

LONG_WAIT_S, LONG_WAIT_ITEMS = 0.1, 4.0
"""A wait that is too long: so many seconds, and so many times as long as one piece of work takes to compute."""

PRESSED_S = 0.25
"""How long work must wait half of that at least, before a replica is added."""

SETTLE_S = 20.0
"""Time after a start in which what has gathered meanwhile may be worked off."""

UNSETTLED_S = 3.0
"""How long the wait must not have become shorter within that time, before one more replica is added."""

DOUBLE_WAIT_S = 2.0
"""Wait at which as many replicas again are added, instead of one."""

BUSY_ENOUGH = 0.4
"""How busy the remaining replicas may be, on average, after one has gone."""

BUSY_MEMORY_S = 30.0
"""Time over which it is averaged how busy replicas are."""

LOW_S = 60.0
"""How long fewer must have been enough before one goes."""

NEEDED_IDLE_CORES = 0.3
"""Idle processor cores without which one more process wins nothing."""

FULL_SHARE, FULL_S = 0.9, 5.0
"""How busy all replicas must have been over so many seconds, for one more to put an idle core to use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is seen of a deployment at one moment.

    Attributes:
        now_s: when, by any clock that goes forward.
        running: replicas that serve.
        wanted: replicas that there shall be: more while some are starting, fewer while some are stopping.
        wait_s: how long the work that has waited longest has waited until now; 0 when none waits.
        item_s: how long one piece of work takes to compute.
        busy_s: time that all replicas together have computed since their start.
        pending: pieces of work that wait or are under way.
        refused: whether requests were turned away of late while the work for this deployment waited the longest.
        idle_cores: processor cores of the machine that had nothing to do of late; None when nobody knows, or when new
            replicas may come to other machines.
    """

    now_s: float
    running: int
    wanted: int
    wait_s: float
    item_s: float
    busy_s: float
    pending: int
    refused: bool = False
    idle_cores: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered from look to look.

    Attributes:
        looked_s: when the last look was; None before the first.
        wanted: replicas that there should be then.
        busy_s: what it saw.
        busy: replicas that are busy, on average.
        pressed_since_s: since when work has waited long at every look, and not become quicker; None when it does not.
        pressed_wait_s: how long it waited then.
        started_s: when replicas were last seen starting; None when they never were.
        low_since_s: since when fewer replicas would have been enough; None when they would not.
        watched_since_s: since when it is watched whether replicas are busy all the time; None before the first look.
        watched_busy_s: what all together had computed then.
    """

    looked_s: float | None = None
    wanted: int = 0
    busy_s: float = 0.0
    busy: float = 0.0
    pressed_since_s: float | None = None
    pressed_wait_s: float = 0.0
    started_s: float | None = None
    low_since_s: float | None = None
    watched_since_s: float | None = None
    watched_busy_s: float = 0.0


def wanted_replicas(look: Look, memory: Memory) -> tuple[int, Memory]:
    """Replicas that there should be, before any bounds, and what to remember.

    That fewer are enough is said at every look until one goes: Serve has it said for a while before it believes it.
    """
    busy = _busy(look, memory)
    starting = look.running < look.wanted
    started_s = look.now_s if starting else memory.started_s
    long_s = max(LONG_WAIT_S, LONG_WAIT_ITEMS * look.item_s)
    waits = look.refused or look.wait_s >= long_s / 2
    pressed_since_s = None if starting else _since(memory.pressed_since_s, look, waits)
    pressed_wait_s = look.wait_s if pressed_since_s == look.now_s else memory.pressed_wait_s
    if pressed_since_s is not None and look.wait_s < 0.95 * pressed_wait_s and not look.refused:
        pressed_since_s, pressed_wait_s = look.now_s, look.wait_s
    known_low_s = memory.low_since_s if look.wanted == memory.wanted else None
    low_since_s = _since(known_low_s, look, not waits and busy <= BUSY_ENOUGH * (look.wanted - 1))
    unsettled = started_s is not None and look.now_s - started_s < SETTLE_S
    is_pressed = _lasted(pressed_since_s, look, UNSETTLED_S if unsettled else PRESSED_S)
    watched_s = 0.0 if memory.watched_since_s is None else look.now_s - memory.watched_since_s
    watch_anew = starting or memory.watched_since_s is None or watched_s >= FULL_S
    wanted = look.wanted
    if not look.wanted:
        wanted = 1 if look.pending else 0
    elif is_pressed and (look.refused or look.wait_s >= long_s) and _has_room(look):
        wanted += look.wanted if look.wait_s >= DOUBLE_WAIT_S else 1
        pressed_since_s = None
    elif watched_s >= FULL_S and not starting and _is_full(look, memory, watched_s):
        wanted += 1
    elif look.wanted == 1:
        wanted = 1 if look.pending or starting else 0  # the bounds say whether none is allowed, and after what time
    elif _lasted(low_since_s, look, LOW_S):
        wanted -= 1
    return wanted, Memory(
        looked_s=look.now_s,
        wanted=look.wanted,
        busy_s=look.busy_s,
        busy=busy,
        pressed_since_s=pressed_since_s,
        pressed_wait_s=pressed_wait_s,
        started_s=started_s,
        low_since_s=low_since_s,
        watched_since_s=look.now_s if watch_anew else memory.watched_since_s,
        watched_busy_s=look.busy_s if watch_anew else memory.watched_busy_s,
    )


def _is_full(look: Look, memory: Memory, watched_s: float) -> bool:
    computed_s = look.busy_s - memory.watched_busy_s
    return look.idle_cores is not None and _has_room(look) and computed_s >= FULL_SHARE * look.running * watched_s


def _busy(look: Look, memory: Memory) -> float:
    if memory.looked_s is None or look.now_s <= memory.looked_s:
        return memory.busy
    passed_s = look.now_s - memory.looked_s
    lately = max(0.0, look.busy_s - memory.busy_s) / passed_s  # less than before: a router has gone, with its sum
    share = min(1.0, passed_s / BUSY_MEMORY_S)
    return memory.busy + share * (lately - memory.busy)


def _since(known_s: float | None, look: Look, holds: bool) -> float | None:
    if not holds:
        return None
    return look.now_s if known_s is None else known_s


def _lasted(since_s: float | None, look: Look, least_s: float) -> bool:
    return since_s is not None and look.now_s - since_s >= least_s


def _has_room(look: Look) -> bool:
    return look.idle_cores is None or look.idle_cores >= NEEDED_IDLE_CORES
