"""Waiting work of many requests leaves together, as few calls to one deployment as its speed allows.

Work leaves at once while a replica has nothing to do, so nothing waits at low load; replicas that have nothing to do
share it, where calls that are smaller are known to be over sooner. While all are busy, work gathers: the next call
leaves when it is full, or just early enough to be there when a replica is free, which the speed of the calls before
tells. Batches thus form by themselves where the time is lost anyway. However wrong that expectation may be, no more
than a number of slots for each replica are under way at a time, and a call that comes back sends the next.

Only work of one *key* (a model, a stage of a plan) shares a call; the key whose first item waits longest goes first.

A key may be *cold*: what it needs is not loaded anywhere. Then one call goes ahead to have it loaded, takes no slot,
and the other work of the key waits for its return, so that no load ever stands in the way of work that needs none.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.messages import CallAnswer
from deployments.errors import ModelNotLoadedError, OverloadedError, ReplicaLostError, ServingError
from deployments.router.pace import CallUnderWay, Pace
from deployments.settings import CoalescingLimits
from workflows.errors import DeadlineExceededError

P = TypeVar("P")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)


@dataclass(slots=True, kw_only=True, eq=False)
class CoalescingCounters:
    """What happened so far, and what is going on; the last four are gauges and go back to zero.

    Attributes:
        calls: calls that left, second tries included.
        items: items that left, second tries not included.
        shared_calls: calls that carried work of more than one request.
        batch_sizes: size of call -> number of calls.
        retries: calls sent again because a replica was lost.
        lost: items whose second call was lost too.
        expired: items whose deadline passed before their answer came.
        cancelled: items whose requester went away.
        refused: items turned away because the queue was full.
        put_back: items that came to a replica without what they need, and waited again.
        waited_ms: time all items together waited in the queue.
        sent_bytes: images and tensors of the items that left, second tries not included.
        decodes: pictures that the deployment decoded for the calls that came back.
        encodes: pictures that it encoded for them.
        computed_ms: time that the replicas computed for all calls together.
        queued_items: waiting now.
        in_flight_calls: on their way or computing now, without those that load.
        loading_calls: calls under way now that have something loaded first.
        in_flight_items: in those calls, without those nobody waits for any more.
    """

    calls: int = 0
    items: int = 0
    shared_calls: int = 0
    batch_sizes: Counter[int] = field(default_factory=Counter)
    retries: int = 0
    lost: int = 0
    expired: int = 0
    cancelled: int = 0
    refused: int = 0
    put_back: int = 0
    waited_ms: float = 0.0
    sent_bytes: int = 0
    decodes: int = 0
    encodes: int = 0
    computed_ms: float = 0.0
    queued_items: int = 0
    in_flight_calls: int = 0
    loading_calls: int = 0
    in_flight_items: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery(Generic[R]):
    """The answer to one item and where its time went.

    Attributes:
        value: the answer.
        queue_ms: waiting for a slot.
        transfer_ms: way there and back, waiting at the replica included.
        compute_ms: of the whole call it travelled in: that is how long this item waited for it.
        model_loads: models that had to be loaded for that call.
    """

    value: R
    queue_ms: float
    transfer_ms: float
    compute_ms: float
    model_loads: tuple[ModelLoad, ...]


@dataclass(slots=True, kw_only=True, eq=False)
class _Item(Generic[P, R]):
    payload: P
    size_bytes: int
    size_px: int
    request_id: str
    deadline_unix_s: float
    future: asyncio.Future[Delivery[R]]
    queued_at_s: float
    left_at_s: float = 0.0
    call: _Call | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class _Call:
    task: asyncio.Task[None]
    waited_for: int


class CoalescingQueue(Generic[K, P, R]):
    """All work of one deployment that waits or is under way, in one event loop.

    Args:
        name: the deployment, for messages.
        send: makes one call with the payloads of one key and their deadlines; the last argument says whether it may
            wait for a load. One that may not, and would have to, raises `ModelNotLoadedError`.
        lost_errors: what `send` raises when the replica died; such a call is sent once more.
        limits: see there; may be replaced at any time.
        holders: how many replicas have loaded what the work of a key needs; without it, none needs anything loaded.
        batch_items: most items of one call for single keys, where that is not as for all.
        clock_s: wall clock, seconds since the epoch.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[K, list[P], list[float], bool], Awaitable[CallAnswer[R]]],
        *,
        lost_errors: tuple[type[Exception], ...],
        limits: CoalescingLimits | None = None,
        holders: Callable[[K], int] | None = None,
        batch_items: Mapping[K, int] | None = None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.counters = CoalescingCounters()
        self._send = send
        self._lost_errors: tuple[type[BaseException], ...] = (asyncio.CancelledError, *lost_errors)
        self.limits = limits or CoalescingLimits()
        self._holders = holders
        self._batch_items = batch_items or {}
        self._loading: set[K] = set()
        self._clock_s = clock_s
        self._waiting: dict[K, deque[_Item[P, R]]] = {}
        self._replicas: dict[str, float] = {}
        self._pace: Pace[K] = Pace()
        self._under_way: dict[asyncio.Task[None], CallUnderWay[K]] = {}
        self._dispatch_due = False
        self._next_look: asyncio.TimerHandle | None = None
        self._last_wait_s = 0.0  # of the call that came back last, its way included

    @property
    def longest_wait_s(self) -> float:
        """How long work waits that needs no load, here or at the replica behind another call; 0 when there is none."""
        held_back = self._loading.union(self._cold_keys())
        since_s = [self._waiting_since_s(key) for key in self._waiting if key not in held_back]
        here_s = time.perf_counter() - min(since_s) if since_s else 0.0
        return max(here_s, self._last_wait_s) if self.pending_items else 0.0

    @property
    def pending_items(self) -> int:
        """Items that wait or are under way."""
        return self.counters.queued_items + self.counters.in_flight_items

    @property
    def slots(self) -> int:
        """Calls that may be in flight now."""
        return self.limits.slots_per_replica * self.replica_count

    @property
    def replica_count(self) -> int:
        """Replicas that have answered of late; 1 before any has."""
        oldest_s = time.monotonic() - self.limits.replica_memory_s
        for replica_id in [name for name, seen_s in self._replicas.items() if seen_s < oldest_s]:
            del self._replicas[replica_id]
        return max(1, len(self._replicas))

    def most_items(self, key: K) -> int:
        """Items that one call for a key may carry."""
        return self._batch_items.get(key, self.limits.max_batch_items)

    def waiting_items(self, key: K) -> int:
        """Items of a key that wait now."""
        return len(self._waiting.get(key, ()))

    async def submit(
        self,
        key: K,
        payload: P,
        *,
        deadline_unix_s: float,
        request_id: str,
        size_bytes: int = 0,
        size_px: int = 0,
    ) -> Delivery[R]:
        """Have one item done.

        Cancelling the caller takes the item out of the queue, or gives up its call when nobody else waits for it.

        Args:
            key: what it may share a call with.
            payload: what to send.
            deadline_unix_s: until when somebody waits for it.
            request_id: whose it is.
            size_bytes: what sending it takes.
            size_px: pixels it becomes where it is worked on, however few bytes they travel in.

        Raises:
            DeadlineExceededError: the answer did not come in time; work that has not begun never will.
            OverloadedError: too much is waiting.
            ReplicaLostError: two replicas were lost over this item.
        """
        remaining_s = deadline_unix_s - self._clock_s()
        if remaining_s <= 0:
            self.counters.expired += 1
            raise DeadlineExceededError(f"the request's time was over before {self.name} was asked")
        if self.counters.queued_items >= self.limits.max_queued_items:
            self.counters.refused += 1
            raise OverloadedError(f"{self.counters.queued_items} pieces of work wait for {self.name}; try again later")
        loop = asyncio.get_running_loop()
        item: _Item[P, R] = _Item(
            payload=payload,
            size_bytes=size_bytes,
            size_px=size_px,
            request_id=request_id,
            deadline_unix_s=deadline_unix_s,
            future=loop.create_future(),
            queued_at_s=time.perf_counter(),
        )
        self._waiting.setdefault(key, deque()).append(item)
        self.counters.queued_items += 1
        self._dispatch_soon()
        timer = loop.call_later(remaining_s, self._expire, key, item)
        try:
            return await item.future
        except asyncio.CancelledError:
            self.counters.cancelled += 1
            raise
        finally:
            timer.cancel()
            self._forget(key, item)

    def _expire(self, key: K, item: _Item[P, R]) -> None:
        if not item.future.done():
            self.counters.expired += 1
            where = f"waiting for {self.name}" if item.call is None else f"{self.name} was working on it"
            item.future.set_exception(DeadlineExceededError(f"the request's time was over while {where}"))

    def _forget(self, key: K, item: _Item[P, R]) -> None:
        """Leave nothing of an item behind, wherever it is."""
        if item.call is None:
            waiting = self._waiting.get(key)
            if waiting is not None and item in waiting:
                waiting.remove(item)
                self.counters.queued_items -= 1
                if not waiting:
                    del self._waiting[key]
            return
        call, item.call = item.call, None
        call.waited_for -= 1
        self.counters.in_flight_items -= 1
        if call.waited_for == 0:
            call.task.cancel()

    def _dispatch_soon(self) -> None:
        """Look for work to send once everything that is submitted in this turn of the loop is here."""
        if not self._dispatch_due:
            self._dispatch_due = True
            asyncio.get_running_loop().call_soon(self._dispatch, context=contextvars.Context())

    def _dispatch(self) -> None:
        self._dispatch_due = False
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        cold = self._cold_keys()
        for key in cold:
            if self.counters.loading_calls >= self.limits.loads_per_replica * self.replica_count:
                break
            self._start_next(key, self.most_items(key), loads=True)
        held_back = self._loading.union(cold)
        while self.counters.in_flight_calls < self.slots:
            warm = [key for key in self._waiting if key not in held_back]
            if not warm:
                return
            key = min(warm, key=self._waiting_since_s)
            if self.waiting_items(key) < self.most_items(key) and self._look_later():
                return
            self._start_next(key, min(self.most_items(key), self._share(key)), loads=False)

    def _look_later(self) -> bool:
        """Whether more work may gather because every replica is busy for now; looks again when one is soon free."""
        now_s = time.perf_counter()
        leave_at_s = self._pace.leave_at_s(self._under_way.values(), self.replica_count)
        if leave_at_s <= now_s:
            return False
        self._next_look = asyncio.get_running_loop().call_later(
            leave_at_s - now_s, self._dispatch_soon, context=contextvars.Context()
        )
        return True

    def _cold_keys(self) -> list[K]:
        """Keys of waiting work that need a load which nobody has begun, the longest waiting first."""
        if self._holders is None:
            return []
        cold = [key for key in self._waiting if key not in self._loading and not self._holders(key)]
        return sorted(cold, key=self._waiting_since_s)

    def _waiting_since_s(self, key: K) -> float:
        return self._waiting[key][0].queued_at_s

    def _share(self, key: K) -> int:
        """Of the items of a key that wait, as many as should go to one of the replicas that have nothing to do."""
        waiting = self.waiting_items(key)
        if waiting == 1:
            return 1
        free = self.replica_count - len(self._under_way)
        if self._holders is not None:
            free = min(free, self._holders(key))
        return self._pace.share(key, waiting, free)

    def _start_next(self, key: K, most: int, *, loads: bool) -> None:
        items = self._take(key, most)
        if items:
            self._start(key, items, loads=loads)

    def _take(self, key: K, most: int) -> list[_Item[P, R]]:
        waiting = self._waiting[key]
        items: list[_Item[P, R]] = []
        size_bytes, size_px, now_unix_s = 0, 0, self._clock_s()
        while waiting and len(items) < most:
            item = waiting[0]
            if items and (
                size_bytes + item.size_bytes > self.limits.max_batch_bytes
                or size_px + item.size_px > self.limits.max_batch_pixels
            ):
                break
            waiting.popleft()
            self.counters.queued_items -= 1
            if item.deadline_unix_s <= now_unix_s:
                self._expire(key, item)  # a busy loop calls the timer late
            if not item.future.done():  # else its requester was told, and will come to clean up
                items.append(item)
                size_bytes += item.size_bytes
                size_px += item.size_px
        if not waiting:
            del self._waiting[key]
        return items

    def _start(self, key: K, items: list[_Item[P, R]], *, loads: bool) -> None:
        now_s = time.perf_counter()
        for item in items:
            item.left_at_s = now_s
            self.counters.waited_ms += (now_s - item.queued_at_s) * 1000
        self.counters.items += len(items)
        self.counters.sent_bytes += sum(item.size_bytes for item in items)
        self.counters.shared_calls += len({item.request_id for item in items}) > 1
        if loads:
            self._loading.add(key)
            self.counters.loading_calls += 1
        else:
            self.counters.in_flight_calls += 1
        self.counters.in_flight_items += len(items)
        # A context of its own: Serve takes a call made in a request's context for that request's child, and cancels it,
        # with the work of others in it, when that one client hangs up.
        task = asyncio.get_running_loop().create_task(
            self._call(key, items, loads=loads), context=contextvars.Context()
        )
        if not loads:
            self._under_way[task] = CallUnderWay(key=key, items=len(items), left_s=now_s)
        call = _Call(task=task, waited_for=len(items))
        for item in items:
            item.call = call
        task.add_done_callback(lambda done: self._finish(key, items, done, loads=loads), context=contextvars.Context())

    def _finish(self, key: K, items: list[_Item[P, R]], task: asyncio.Task[None], *, loads: bool) -> None:
        if loads:
            self._loading.discard(key)
            self.counters.loading_calls -= 1
        else:
            self.counters.in_flight_calls -= 1
            del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            if loads and isinstance(error, ServingError) and not isinstance(error, ReplicaLostError):
                waiting = self._waiting.pop(key, ())  # what cannot be loaded is not tried anew for each of them
                self.counters.queued_items -= len(waiting)
                items = [*items, *waiting]
            for item in items:
                _fail(item, error)
        self._dispatch_soon()

    async def _call(self, key: K, items: list[_Item[P, R]], *, loads: bool) -> None:
        for attempt in (1, 2):
            items = [item for item in items if not item.future.done()]
            if not items:
                return
            self.counters.calls += 1
            self.counters.batch_sizes[len(items)] += 1
            sent_s = time.perf_counter()
            try:
                answer = await self._send(
                    key, [item.payload for item in items], [item.deadline_unix_s for item in items], loads
                )
            except ModelNotLoadedError:
                self._put_back(key, items)
                return
            except self._lost_errors as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise  # we gave up, not the other side
                if attempt == 1:
                    self.counters.retries += 1
                    continue
                self.counters.lost += len(items)
                raise ReplicaLostError(
                    f"two replicas of {self.name} were lost over this work; it was not tried a third time"
                ) from error
            self._learn(key, len(items), answer, time.perf_counter() - sent_s)
            self._deliver(items, answer)
            return

    def _put_back(self, key: K, items: list[_Item[P, R]]) -> None:
        """Let work wait again, before what came later."""
        waiting = self._waiting.setdefault(key, deque())
        for item in reversed(items):
            if item.call is None or item.future.done():
                continue
            item.call.waited_for -= 1
            item.call = None
            waiting.appendleft(item)
            self.counters.in_flight_items -= 1
            self.counters.queued_items += 1
            self.counters.put_back += 1
            self.counters.items -= 1
            self.counters.sent_bytes -= item.size_bytes
        if not waiting:
            del self._waiting[key]

    def _learn(self, key: K, items: int, answer: CallAnswer[R], away_s: float) -> None:
        if not answer.model_loads:
            here_s = (answer.compute_ms + answer.queued_ms) / 1000
            self._pace.learn(key, items, taken_s=answer.turn_ms / 1000, way_s=away_s - here_s)

    def _deliver(self, items: list[_Item[P, R]], answer: CallAnswer[R]) -> None:
        now_s = time.perf_counter()
        self._replicas[answer.replica_id] = time.monotonic()
        self.counters.decodes += answer.decodes
        self.counters.encodes += answer.encodes
        self.counters.computed_ms += answer.compute_ms
        if items and not answer.model_loads:
            self._last_wait_s = max(0.0, now_s - items[0].queued_at_s - answer.compute_ms / 1000)
        for item, result in zip(items, answer.results, strict=True):
            if isinstance(result, Exception):
                _fail(item, result)
            elif not item.future.done():
                away_ms = (now_s - item.left_at_s) * 1000
                item.future.set_result(
                    Delivery(
                        value=result,
                        queue_ms=(item.left_at_s - item.queued_at_s) * 1000,
                        transfer_ms=max(0.0, away_ms - answer.compute_ms),
                        compute_ms=answer.compute_ms,
                        model_loads=answer.model_loads,
                    )
                )


def _fail(item: _Item[P, R], error: BaseException) -> None:
    if not item.future.done():
        item.future.set_exception(error)
