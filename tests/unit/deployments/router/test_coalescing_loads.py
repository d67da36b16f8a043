"""Work that needs something loaded first, in the coalescing queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from deployments.dataplane.messages import CallAnswer
from deployments.errors import ModelNotLoadedError, ServingError
from deployments.router.coalescing import CoalescingQueue
from deployments.settings import CoalescingLimits
from tests.unit.deployments.router.fake_deployment import ReplicaDiedError, ask, turn, values


@dataclass
class Loading:
    """A deployment that holds some keys; a call that may load brings its key in when its gate opens."""

    held: set[str] = field(default_factory=set)
    calls: list[tuple[str, list[int], bool]] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)

    async def send(self, key: str, payloads: list[int], deadlines: list[float], may_load: bool) -> CallAnswer[int]:
        self.calls.append((key, payloads, may_load))
        if not may_load and key not in self.held:
            raise ModelNotLoadedError("not here", "a", ())
        await self.gates.setdefault(key, asyncio.Event()).wait()
        if key in self.failures:
            raise self.failures[key]
        self.held.add(key)
        return CallAnswer(results=[payload * 10 for payload in payloads], replica_id="a", compute_ms=1.0)

    def open(self, *keys: str) -> None:
        for key in keys:
            self.gates.setdefault(key, asyncio.Event()).set()

    def queue(self, **options) -> CoalescingQueue[str, int, int]:
        limits = CoalescingLimits(max_batch_items=8, slots_per_replica=1, loads_per_replica=2)
        return CoalescingQueue(
            "the fake",
            self.send,
            lost_errors=(ReplicaDiedError,),
            limits=limits,
            holders=lambda key: int(key in self.held),
            **options,
        )


async def test_many_first_requests_for_a_cold_key_send_one_call_ahead():
    deployment = Loading()
    queue = deployment.queue()
    tasks = [ask(queue, number, key="cold") for number in range(100)]
    await turn()
    assert deployment.calls == [("cold", list(range(8)), True)]
    assert (queue.counters.loading_calls, queue.counters.in_flight_calls, queue.counters.queued_items) == (1, 0, 92)
    deployment.open("cold")
    assert await values(tasks) == [number * 10 for number in range(100)]
    assert [may_load for _, _, may_load in deployment.calls] == [True] + [False] * 12
    assert (queue.counters.loading_calls, queue.counters.queued_items, queue.counters.in_flight_items) == (0, 0, 0)


async def test_work_for_a_warm_key_passes_by_loads():
    deployment = Loading(held={"warm"})
    deployment.open("warm")
    queue = deployment.queue()
    cold = [ask(queue, 1, key=key) for key in ("a", "b", "c")]
    await turn()
    assert (await ask(queue, 7, key="warm")).value == 70
    assert [key for key, _, may_load in deployment.calls if may_load] == ["a", "b"]  # two loads at a time
    deployment.open("a", "b", "c")
    assert await values(cold) == [10, 10, 10]


async def test_what_cannot_be_loaded_fails_for_all_who_wait_after_one_try():
    deployment = Loading(failures={"cold": ServingError("its weights are damaged")})
    deployment.open("cold")
    queue = deployment.queue()
    outcomes = await asyncio.gather(*(ask(queue, number, key="cold") for number in range(20)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["its weights are damaged"] * 20
    assert len(deployment.calls) == 1
    assert (queue.counters.queued_items, queue.counters.in_flight_items, queue.counters.loading_calls) == (0, 0, 0)
    with pytest.raises(ServingError):
        await ask(queue, 1, key="cold")
    assert len(deployment.calls) == 2  # somebody who comes later has it tried again


async def test_a_key_that_was_dropped_meanwhile_is_loaded_again_in_the_old_order():
    deployment = Loading(held={"m"})
    deployment.open("m")
    queue = deployment.queue()
    first = [ask(queue, number, key="m") for number in range(3)]
    await asyncio.sleep(0)  # all three are there, and nothing has left
    holders, deployment.held = queue._holders, set()
    queue._holders = lambda key: 1 if len(deployment.calls) == 0 else holders(key)  # believed to be there
    assert await values(first) == [0, 10, 20]
    assert deployment.calls == [("m", [0, 1, 2], False), ("m", [0, 1, 2], True)]
    assert (queue.counters.items, queue.counters.put_back) == (3, 3)
    assert (queue.counters.queued_items, queue.counters.in_flight_items) == (0, 0)


async def test_who_goes_away_from_a_load_takes_nothing_from_the_others():
    deployment = Loading()
    queue = deployment.queue()
    gone, stays = ask(queue, 1, key="cold"), ask(queue, 2, key="cold")
    await turn()
    gone.cancel()
    deployment.open("cold")
    assert (await stays).value == 20
    assert queue.counters.in_flight_items == 0


async def test_a_key_may_have_a_batch_size_of_its_own():
    deployment = Loading(held={"small", "m"})
    deployment.open("small", "m")
    queue = deployment.queue(batch_items={"small": 2})
    tasks = [ask(queue, number, key=key) for key in ("small", "m") for number in range(4)]
    await values(tasks)
    sizes = [(key, len(payloads)) for key, payloads, _ in deployment.calls]
    assert sizes == [("small", 2), ("small", 2), ("m", 4)]
