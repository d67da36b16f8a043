"""How a replica computes: one call at a time, in one thread, expired work left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.messages import CallAnswer
from deployments.models.engines.deadline import call_deadline
from workflows.errors import DeadlineExceededError

Done = TypeVar("Done")


class StuckError(RuntimeError):
    """A computation does not end: the replica is of no use any more."""


class ComputeThread:
    """The one thread of a replica that computes, so that its event loop answers health checks meanwhile.

    More threads would only contend: a replica is scaled by more replicas.

    Args:
        name: of the thread.
        replica_id: put into every answer.
        stuck_after_s: how long one call may compute before the replica counts as dead.
        clock_s: wall clock, seconds since the epoch.
    """

    def __init__(
        self, name: str, replica_id: str, *, stuck_after_s: float = 300.0, clock_s: Callable[[], float] = time.time
    ) -> None:
        self._replica_id = replica_id
        self._stuck_after_s = stuck_after_s
        self._clock_s = clock_s
        self._began_s: float | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        cv2.setNumThreads(1)  # else OpenCV starts one thread a core in each replica

    async def run(
        self,
        deadlines_unix_s: Sequence[float],
        compute: Callable[[list[int]], Sequence[Done | Exception]],
        model_loads: tuple[ModelLoad, ...] = (),
    ) -> CallAnswer[Done]:
        """Compute the items whose time is not over when their turn comes; the others are answered with an error.

        Cancelling takes a call back that waits for its turn.

        Args:
            deadlines_unix_s: one for each item.
            compute: given the positions of the items to do, answers each of them in order.
            model_loads: to be put into the answer.
        """

        def turn() -> tuple[list[Done | Exception], float]:
            self._began_s = time.monotonic()
            try:
                now_s = self._clock_s()
                live = [at for at, deadline_s in enumerate(deadlines_unix_s) if deadline_s > now_s]
                results: list[Done | Exception] = [
                    DeadlineExceededError("the request's time was over before its work began") for _ in deadlines_unix_s
                ]
                if live:
                    with call_deadline(max(deadlines_unix_s[at] for at in live)):
                        done = compute(live)
                    for at, result in zip(live, done, strict=True):
                        results[at] = result
                return results, (time.monotonic() - self._began_s) * 1000
            finally:
                self._began_s = None

        results, compute_ms = await asyncio.get_running_loop().run_in_executor(self._threads, turn)
        return CallAnswer(results=results, replica_id=self._replica_id, compute_ms=compute_ms, model_loads=model_loads)

    def check(self) -> None:
        """Notice a call that does not end.

        Raises:
            StuckError: it computes for too long.
        """
        began_s = self._began_s
        if began_s is not None and time.monotonic() - began_s > self._stuck_after_s:
            raise StuckError(f"one call has been computing for more than {self._stuck_after_s:g} s")

    def close(self) -> None:
        """Take no more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)
