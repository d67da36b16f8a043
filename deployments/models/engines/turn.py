"""Taking turns at computing: one call at a time, and others go on while one only waits for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

_turn: ContextVar[Lock | None] = ContextVar("turn", default=None)


@contextmanager
def computing(turn: Lock) -> Iterator[None]:
    """Have the turn: nobody else who asks for the same one computes meanwhile, but for the time of `waiting`."""
    with turn:
        token = _turn.set(turn)
        try:
            yield
        finally:
            _turn.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Give the turn away while an answer from elsewhere is waited for, and take it again."""
    turn = _turn.get()
    if turn is None:
        yield
        return
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
