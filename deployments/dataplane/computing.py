"""How a replica computes: one call at a time, in one thread, expired work left out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import TypeVar

import cv2

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.freed_memory import keep_freed_memory
from deployments.dataplane.messages import CallAnswer
from deployments.models.engines.turn import Turn, computing
from deployments.observability import metrics
from workflows.errors import DeadlineExceededError
from workflows.values.codec_counts import CODEC_COUNTS
from workflows.values.time_left import work_until

Done = TypeVar("Done")

MOST_CALLS = 8
"""Calls that may wait for other servers at a time, the one that computes included."""


class StuckError(RuntimeError):
    """A computation does not end: the replica is of no use any more."""


class ComputeThread:
    """Computes beside the event loop of a replica, which so answers health checks meanwhile; one call at a time.

    More at a time would only contend: a replica is scaled by more replicas. But while a call waits for a network on
    another server, the next one takes its turn.

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
        self._began_s: dict[object, float] = {}
        self._turn = Lock()
        self._threads = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix=name)
        cv2.setNumThreads(1)  # else OpenCV starts one thread a core in each replica
        keep_freed_memory()

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

        given_up = Event()
        asked_s = time.monotonic()

        def in_turn() -> CallAnswer[Done]:
            with computing(self._turn) as turn:
                if given_up.is_set():
                    return CallAnswer(results=[], replica_id=self._replica_id, compute_ms=0.0)
                return answered(turn)

        def answered(turn: Turn) -> CallAnswer[Done]:
            decodes, encodes = CODEC_COUNTS.decodes, CODEC_COUNTS.encodes
            began_s = self._began_s[given_up] = time.monotonic()
            try:
                now_s = self._clock_s()
                live = [at for at, deadline_s in enumerate(deadlines_unix_s) if deadline_s > now_s]
                results: list[Done | Exception] = [
                    DeadlineExceededError("the request's time was over before its work began") for _ in deadlines_unix_s
                ]
                if live:
                    with work_until(max(deadlines_unix_s[at] for at in live)):
                        done = compute(live)
                    for at, result in zip(live, done, strict=True):
                        results[at] = result
                taken_s = time.monotonic() - began_s
                return CallAnswer(
                    results=results,
                    replica_id=self._replica_id,
                    compute_ms=taken_s * 1000,
                    queued_ms=(began_s - asked_s) * 1000,
                    turn_ms=(taken_s - turn.given_away_s) * 1000,
                    model_loads=model_loads,
                    decodes=CODEC_COUNTS.decodes - decodes,
                    encodes=CODEC_COUNTS.encodes - encodes,
                )
            finally:
                metrics.compute_s_total.inc(time.monotonic() - began_s)
                del self._began_s[given_up]

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, in_turn)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def check(self) -> None:
        """Notice a call that does not end.

        Raises:
            StuckError: it computes for too long.
        """
        now_s = time.monotonic()
        if any(now_s - began_s > self._stuck_after_s for began_s in list(self._began_s.values())):
            raise StuckError(f"one call has been computing for more than {self._stuck_after_s:g} s")

    def close(self) -> None:
        """Take no more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)
