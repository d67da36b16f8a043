"""How long the call that computes now may still take, for engines that wait for somebody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline_unix_s: ContextVar[float | None] = ContextVar("deadline_unix_s", default=None)


@contextmanager
def call_deadline(deadline_unix_s: float) -> Iterator[None]:
    """Let engines that run inside know until when somebody waits: wall clock, seconds since the epoch."""
    token = _deadline_unix_s.set(deadline_unix_s)
    try:
        yield
    finally:
        _deadline_unix_s.reset(token)


def remaining_s(limit_s: float) -> float:
    """Seconds until the deadline of the running call, 0 when it is over; `limit_s` at most, and without a deadline."""
    deadline_unix_s = _deadline_unix_s.get()
    return limit_s if deadline_unix_s is None else min(limit_s, max(0.0, deadline_unix_s - time.time()))
