"""Sending requests: on a schedule that waits for nobody (open loop), or by clients that wait (closed loop)."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
import uvloop
from numpy.typing import NDArray

from load_tests.http_connection import Answer, HttpPool

EXPIRE_EVERY_S = 0.1
Returned = TypeVar("Returned")


@dataclass(slots=True, kw_only=True)
class Log:
    """Every request of a run. Times are seconds from the run's beginning; rows are requests.

    Attributes:
        loop: how they were sent.
        intended_s: (n,) when each was due; closed loop: when its client was free to send it.
        sent_s: (n,) when it was sent; NaN when it never was.
        done_s: (n,) when its answer was whole, or it failed; NaN when nothing came of it.
        status: (n,) HTTP status; 0 for none.
        failures: row -> why there is no status.
        server_timings: `Server-Timing` of the answers that had it.
        repeated: requests that were asked again, since the server had closed the kept connection.
        duration_s: how long requests were sent.
        concurrency: closed loop: clients.
    """

    loop: Literal["open", "closed"]
    intended_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    status: NDArray[np.int16]
    duration_s: float
    concurrency: int | None = None
    failures: dict[int, str] = field(default_factory=dict)
    server_timings: list[str] = field(default_factory=list)
    repeated: int = 0

    def record(self, row: int, answer: Answer, began_s: float) -> None:
        """Write an answer down."""
        self.sent_s[row] = answer.sent_s - began_s
        self.done_s[row] = answer.done_s - began_s
        self.status[row] = answer.status
        self.repeated += answer.repeated
        if not answer.status:
            self.failures[row] = answer.failure
        elif answer.server_timing:
            self.server_timings.append(answer.server_timing)


def empty_log(loop: Literal["open", "closed"], rows: int, duration_s: float) -> Log:
    """A log of requests that were not sent yet."""
    return Log(
        loop=loop,
        intended_s=np.full(rows, np.nan),
        sent_s=np.full(rows, np.nan),
        done_s=np.full(rows, np.nan),
        status=np.zeros(rows, dtype=np.int16),
        duration_s=duration_s,
    )


@dataclass(slots=True)
class Progress:
    """Told while a run goes on.

    Attributes:
        sent: requests so far.
        answered: of them, those that are settled, whatever came of them.
        good: of these, those answered as they should be.
        errors: kind -> others of these.
    """

    sent: int = 0
    answered: int = 0
    good: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    def hears(self, answer: Answer) -> None:
        """Count an answer."""
        self.answered += 1
        if answer.status == 200:
            self.good += 1
        else:
            self.errors[f"status {answer.status}" if answer.status else answer.failure] += 1


def run_loop(main: Coroutine[Any, Any, Returned]) -> Returned:
    """Run a generator on the fastest event loop, with as many open connections as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return uvloop.run(main)


async def open_loop(
    url: str,
    requests: Iterator[bytes],
    due_s: NDArray[np.float64],
    *,
    timeout_s: float,
    duration_s: float | None = None,
    progress: Progress | None = None,
) -> Log:
    """Send each request when it is due, whatever became of those before.

    Args:
        url: of the server.
        requests: whole requests, at least as many as are due.
        due_s: (n,) rising.
        timeout_s: for each answer.
        duration_s: of the schedule; until the last request when None.
        progress: told of every request and answer.
    """
    log = empty_log("open", len(due_s), duration_s or (float(due_s[-1]) if len(due_s) else 0.0))
    log.intended_s[:] = due_s
    told = progress or Progress()
    left = len(due_s)
    all_done = asyncio.Event()

    def answered(row: int, answer: Answer) -> None:
        nonlocal left
        log.record(row, answer, began_s)
        told.hears(answer)
        left -= 1
        if not left:
            all_done.set()

    pool = HttpPool(url, answered, timeout_s=timeout_s)
    began_s = time.perf_counter()
    async with _expiring(pool):
        for row, due in enumerate(due_s.tolist()):
            while (wait_s := began_s + due - time.perf_counter()) > 0:  # noqa: ASYNC110 - a time, no event
                await asyncio.sleep(wait_s)
            pool.send(row, next(requests))
            told.sent += 1
            if row % 16 == 15:
                await asyncio.sleep(0)  # a schedule that is behind must still hear the answers
        if left:
            await all_done.wait()
    return log


async def closed_loop(
    url: str,
    requests: Iterator[bytes],
    *,
    clients: int,
    duration_s: float,
    timeout_s: float,
    progress: Progress | None = None,
) -> Log:
    """Some clients that each send the next request when the last one is answered, for a time."""
    answers: list[tuple[float, Answer]] = []
    told = progress or Progress()
    free_s: dict[int, float] = {}
    active = 0
    all_done = asyncio.Event()

    def ask(client: int) -> None:
        if pool.closed:  # since this was put off to the next turn of the loop
            return
        free_s[client] = time.perf_counter()
        told.sent += 1
        pool.send(client, next(requests))

    def answered(client: int, answer: Answer) -> None:
        nonlocal active
        answers.append((free_s[client], answer))
        told.hears(answer)
        if time.perf_counter() < ends_s:
            # In the next turn of the loop: where sending fails at once, this would call itself without end.
            asyncio.get_running_loop().call_soon(ask, client)
            return
        active -= 1
        if not active:
            all_done.set()

    pool = HttpPool(url, answered, timeout_s=timeout_s)
    began_s = time.perf_counter()
    ends_s = began_s + duration_s
    async with _expiring(pool):
        for client in range(clients):
            active += 1
            ask(client)
        await all_done.wait()
    log = empty_log("closed", len(answers), duration_s)
    log.concurrency = clients
    for row, (free, answer) in enumerate(answers):
        log.intended_s[row] = free - began_s
        log.record(row, answer, began_s)
    return log


class _expiring:
    """Give requests up that take too long, while the block runs; close the connections after it."""

    def __init__(self, pool: HttpPool) -> None:
        self._pool = pool

    async def __aenter__(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._expire())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self._pool.close()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_EVERY_S)
            self._pool.expire()


async def side_by_side(main: Awaitable[Log], others: Sequence[Callable[[], Awaitable[Log]]]) -> Log:
    """Run a load while others go on beside it until it ends; of these their `Progress` is all that stays.

    Raises:
        Exception: what one of the others raised, when the load has ended.
    """
    tasks = [asyncio.ensure_future(other()) for other in others]
    ended: list[Log | BaseException] = []
    try:
        log = await main
    finally:
        for task in tasks:
            task.cancel()
        ended += await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException) and not isinstance(each, asyncio.CancelledError):
            raise each
    return log
