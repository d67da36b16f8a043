"""The coalescing queue among thousands of clients that give up, come too late or meet replicas that die."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

from deployments.dataplane.admission import Admission
from deployments.dataplane.computing import ComputeThread
from deployments.dataplane.messages import CallAnswer
from deployments.errors import OverloadedError, ReplicaLostError
from deployments.router.coalescing import CoalescingQueue
from deployments.settings import AdmissionLimits, CoalescingLimits
from tests.unit.deployments.router.fake_deployment import (
    FakeDeployment,
    ReplicaDiedError,
    ask,
    at_rest,
    make,
    open_gate,
    turn,
    values,
)
from workflows.errors import DeadlineExceededError


async def test_thousands_of_cancels_timeouts_and_deaths_leave_nothing_behind():
    dice = random.Random(20_240)
    deployment = open_gate(FakeDeployment(replica_ids=("a", "b"), service_s=0.001))
    queue = make(deployment, max_batch_items=4, slots_per_replica=1)

    async def client(number: int) -> str:
        task = ask(
            queue,
            dice.choice([number, -1]),
            key=dice.choice("xyz"),
            request_id=str(number),
            in_s=dice.choice([0.0005, 0.003, 5.0, 5.0]),
        )
        if dice.random() < 0.4:
            await asyncio.sleep(dice.random() * 0.004)
            task.cancel()
        if dice.random() < 0.01:
            deployment.deaths += 1
        try:
            delivery = await task
        except asyncio.CancelledError:
            return "cancelled"
        except (DeadlineExceededError, ReplicaLostError, ValueError) as error:
            return type(error).__name__
        assert delivery.value == number * 10
        return "answered"

    outcomes: list[str] = []
    for start in range(0, 2000, 100):
        outcomes += await asyncio.gather(*(client(number) for number in range(start, start + 100)))
    await turn()
    assert len(outcomes) == 2000
    assert {"answered", "cancelled", "DeadlineExceededError", "ValueError"} <= set(outcomes)
    assert at_rest(queue)
    deployment.deaths = 0
    deployment.calls.clear()
    assert await values([ask(queue, number, key="x") for number in range(8)]) == [n * 10 for n in range(8)]


async def test_ten_thousand_cancels_and_timeouts_leave_full_capacity_and_no_work_begins_after_its_deadline():
    """The queue above the thread that replicas compute in, behind the door."""
    dice = random.Random(11)
    seen_s = [0.0]

    def clock_s() -> float:
        seen_s[0] = time.time()
        return seen_s[0]

    thread = ComputeThread("storm", "a", clock_s=clock_s)
    late: list[float] = []
    computed = 0

    async def send(key: str, payloads: list[int], deadlines: list[float], may_load: bool) -> CallAnswer[int]:
        def compute(live: list[int]) -> list[int]:
            nonlocal computed
            computed += len(live)
            late.extend(deadlines[at] - seen_s[0] for at in live if deadlines[at] <= seen_s[0])
            time.sleep(0.0005)
            return [payloads[at] * 10 for at in live]

        return await thread.run(deadlines, compute)

    queue: CoalescingQueue[str, int, int] = CoalescingQueue(
        "the thread", send, lost_errors=(ReplicaDiedError,), limits=CoalescingLimits(max_batch_items=16)
    )
    admission = Admission(AdmissionLimits(max_in_flight=150, first_in_flight=150))

    async def client(number: int) -> str:
        try:
            ticket = admission.enter(number)
        except OverloadedError:
            return "refused"
        allowed_s = dice.choice([0.001, 0.005, 0.01, 5.0])
        task = ask(queue, number, key=dice.choice("xyz"), request_id=str(number), in_s=allowed_s)
        try:
            if dice.random() < 0.4:
                await asyncio.sleep(dice.random() * 0.01)
                task.cancel()
            delivery = await task
        except asyncio.CancelledError:
            return "cancelled"
        except DeadlineExceededError:
            return "late"
        finally:
            admission.leave(ticket)
        assert delivery.value == number * 10
        return "answered"

    outcomes: Counter[str] = Counter()
    for start in range(0, 10_000, 200):
        outcomes.update(await asyncio.gather(*(client(number) for number in range(start, start + 200))))
    await turn()
    assert outcomes.total() == 10_000
    assert min(outcomes[kind] for kind in ("answered", "cancelled", "late", "refused")) > 100
    assert computed >= outcomes["answered"]
    assert late == []
    assert at_rest(queue)
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (0, 0)
    assert await values([ask(queue, number, key="x") for number in range(40)]) == [n * 10 for n in range(40)]
    thread.close()
