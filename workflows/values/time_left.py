"""Until when somebody waits for the work of this thread, for steps that may take long."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from workflows.errors import DeadlineExceededError

_deadline_unix_s: ContextVar[float] = ContextVar("deadline_unix_s", default=math.inf)


@contextmanager
def work_until(deadline_unix_s: float) -> Iterator[None]:
    """Let whatever is called inside know until when somebody waits: wall clock, seconds since the epoch."""
    token = _deadline_unix_s.set(deadline_unix_s)
    try:
        yield
    finally:
        _deadline_unix_s.reset(token)


def check_time() -> None:
    """Stop work that nobody waits for any more; a block whose one call may take seconds asks now and then.

    Raises:
        DeadlineExceededError: the time of the work is over.
    """
    if time.time() >= _deadline_unix_s.get():
        raise time_over()


def time_over() -> DeadlineExceededError:
    """The error of work whose time is over."""
    return DeadlineExceededError.since(_deadline_unix_s.get())


def remaining_s(limit_s: float) -> float:
    """Seconds until the deadline, 0 when it is over; `limit_s` at most, and without a deadline."""
    return min(limit_s, max(0.0, _deadline_unix_s.get() - time.time()))
