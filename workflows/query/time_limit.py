"""How long evaluations may take.

Chains and conditions come from clients and run where other requests wait. One that multiplies its work (lists inside
lists, conditions inside conditions) is stopped by the clock, whatever it is made of; so are the evaluations of a step
that take too long together, and those whose request nobody waits for any longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType

from workflows.errors import OperationError
from workflows.values.time_left import remaining_s, time_over

EVALUATION_LIMIT_S = 2.0
"""Of one evaluation, and of all that a step makes in the thread where it runs: a thousand times what the chains of
documents take."""


class _Clock(threading.local):
    ends_s: float | None = None
    ends_with_request = False  # whether the request's deadline is what ends the evaluation


class _StepTime:
    """What the evaluations of one run of a step share."""

    __slots__ = ("spent_s", "thread_id")

    def __init__(self) -> None:
        self.spent_s = 0.0
        self.thread_id = threading.get_ident()


_clock = _Clock()  # an evaluation never leaves its thread, nor lets another one in
_step_time: ContextVar[_StepTime | None] = ContextVar("step_time", default=None)


@contextmanager
def evaluations_of_step() -> Iterator[None]:
    """Evaluations inside, and in tasks that are started inside, share one limit.

    Those that leave for another thread keep nobody waiting here: each has the whole limit for itself.
    """
    token = _step_time.set(_StepTime())
    try:
        yield
    finally:
        _step_time.reset(token)


class Evaluation:
    """Sets the clock, unless an evaluation around this one has set it already."""

    __slots__ = ("_began_s", "_outermost", "_step_time")

    def __enter__(self) -> None:
        self._outermost = _clock.ends_s is None
        if not self._outermost:
            return
        self._began_s = time.monotonic()
        left_s = EVALUATION_LIMIT_S
        step_time = _step_time.get()
        self._step_time = step_time if step_time and step_time.thread_id == threading.get_ident() else None
        if self._step_time:
            left_s -= self._step_time.spent_s
        before_deadline_s = remaining_s(left_s)
        _clock.ends_with_request = before_deadline_s < left_s
        _clock.ends_s = self._began_s + before_deadline_s

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._outermost:
            _clock.ends_s = None
            if self._step_time:
                self._step_time.spent_s += time.monotonic() - self._began_s


def check_time() -> None:
    """Stop the evaluation around this call when its time is over.

    Raises:
        DeadlineExceededError: the request's is.
        OperationError: it has taken too long itself, or with the step's other evaluations.
    """
    if _clock.ends_s is None or time.monotonic() <= _clock.ends_s:
        return
    if _clock.ends_with_request:
        raise time_over()
    raise OperationError(
        f"the evaluation took longer than {EVALUATION_LIMIT_S:g} s, all elements of the step together, and was "
        "stopped; use fewer operations inside operations, shorter lists, or fewer elements at once"
    )
