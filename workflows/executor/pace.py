"""How long a request computes in the event loop before others get in."""

from __future__ import annotations

import asyncio
import math
import time

from workflows.errors import DeadlineExceededError

TURN_S = 0.005
"""Longer than what usual requests compute at once, and short beside what any of them waits for."""


_AT_ONCE = 16  # of thousands of elements that wait only these look whether they may go on, each time the loop comes by


class Pace:
    """The turns of one request at an event loop: asked between elements, so that many of them block nobody.

    A turn begins when it is first asked for, and ends when the loop comes by; a request that waits has none.

    Args:
        deadline_unix_s: when no new turn begins.
    """

    def __init__(self, deadline_unix_s: float = math.inf) -> None:
        self._deadline_unix_s = deadline_unix_s
        self._began_s: float | None = None
        self._queue = asyncio.Semaphore(_AT_ONCE)

    def is_over(self) -> bool:
        """Whether the turn has been long enough; then wait for the next one."""
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
            asyncio.get_running_loop().call_soon(self._end)
        return now_s - self._began_s > TURN_S

    async def next_turn(self) -> None:
        """Let the loop do what else is ready.

        Raises:
            DeadlineExceededError: the request's time is over.
        """
        async with self._queue:
            while self.is_over():  # noqa: ASYNC110 - there is no event: the loop ends the turn when it comes by
                await asyncio.sleep(0)
        if time.time() > self._deadline_unix_s:
            raise DeadlineExceededError.since(self._deadline_unix_s)

    def _end(self) -> None:
        self._began_s = None
