"""Taking turns at computing: one call at a time, and others go on while one only waits for somebody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock


@dataclass(slots=True)
class Turn:
    """What one call has while it computes.

    Attributes:
        lock: held by whoever has the turn.
        given_away_s: time for which it was given away so far.
    """

    lock: Lock
    given_away_s: float = 0.0


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def computing(lock: Lock) -> Iterator[Turn]:
    """Have the turn: nobody else who asks for the same one computes meanwhile, but for the time of `waiting`."""
    with lock:
        turn = Turn(lock)
        token = _turn.set(turn)
        try:
            yield turn
        finally:
            _turn.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Give the turn away while an answer from elsewhere is waited for, and take it again."""
    turn = _turn.get()
    if turn is None:
        yield
        return
    began_s = time.monotonic()
    turn.lock.release()
    try:
        yield
    finally:
        turn.lock.acquire()
        turn.given_away_s += time.monotonic() - began_s
