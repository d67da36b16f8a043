"""How long one evaluation may take.

Chains and conditions come from clients and run where other requests wait. One that multiplies its work (lists inside
lists, conditions inside conditions) is stopped by the clock, whatever it is made of.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from workflows.errors import OperationError

EVALUATION_LIMIT_S = 2.0
"""A thousand times what the chains of documents take."""


class _Clock(threading.local):
    ends_s: float | None = None


_clock = _Clock()  # an evaluation never leaves its thread, nor lets another one in


class Evaluation:
    """Sets the clock, unless an evaluation around this one has set it already."""

    __slots__ = ("_outermost",)

    def __enter__(self) -> None:
        self._outermost = _clock.ends_s is None
        if self._outermost:
            _clock.ends_s = time.monotonic() + EVALUATION_LIMIT_S

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._outermost:
            _clock.ends_s = None


def check_time() -> None:
    """Stop the evaluation around this call when its time is over.

    Raises:
        OperationError: it is.
    """
    if _clock.ends_s is not None and time.monotonic() > _clock.ends_s:
        raise OperationError(
            f"the evaluation took longer than {EVALUATION_LIMIT_S:g} s and was stopped; use fewer operations inside "
            "operations, or shorter lists"
        )
