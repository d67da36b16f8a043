"""What a router says of its queues, itself and its machine."""

from __future__ import annotations

import asyncio
import time

import pytest

from deployments.dataplane.messages import CallAnswer
from deployments.router.coalescing import CoalescingQueue
from deployments.router.scaling_signals import ScalingSignals
from deployments.settings import CoalescingLimits


def make_queue(gate: asyncio.Event) -> CoalescingQueue[str, int, int]:
    async def send(key, payloads, deadlines, may_load):
        await gate.wait()
        return CallAnswer(results=payloads, replica_id="a", compute_ms=30.0)

    limits = CoalescingLimits(max_batch_items=1, slots_per_replica=1)
    return CoalescingQueue("the fake", send, lost_errors=(), limits=limits)


async def test_a_queue_says_how_long_its_work_waits_and_how_long_it_took():
    gate = asyncio.Event()
    queue = make_queue(gate)
    signals = ScalingSignals({"D": queue}, lambda: False, sees_machine=False)
    assert signals.read()["D|wait_s"] == 0.0
    asked = [
        asyncio.ensure_future(queue.submit("m", n, deadline_unix_s=time.time() + 60, request_id="r")) for n in range(3)
    ]
    await asyncio.sleep(0.02)
    seen = signals.read()
    assert seen["D|wait_s"] >= 0.015
    assert (seen["D|pending"], seen["D|busy_s"], seen["D|refused"]) == (3.0, 0.0, 0.0)
    gate.set()
    await asyncio.gather(*asked)
    seen = signals.read()
    assert (seen["D|wait_s"], seen["D|pending"]) == (0.0, 0.0)
    assert (seen["D|busy_s"], seen["D|item_s"]) == (pytest.approx(0.09), pytest.approx(0.03))
    assert "idle_cores" not in seen
    assert all(isinstance(value, float) for value in seen.values())


async def test_a_refusal_belongs_to_the_deployment_whose_work_waits_longest():
    gate = asyncio.Event()
    slow, idle = make_queue(gate), make_queue(gate)
    signals = ScalingSignals({"slow": slow, "idle": idle}, lambda: True, sees_machine=False)
    assert [value for name, value in signals.read().items() if name.endswith("refused")] == [0.0] * 3
    asked = [
        asyncio.ensure_future(slow.submit("m", n, deadline_unix_s=time.time() + 60, request_id="r")) for n in range(2)
    ]
    await asyncio.sleep(0.01)
    seen = signals.read()
    assert (seen["slow|refused"], seen["idle|refused"]) == (1.0, 0.0)
    gate.set()
    await asyncio.gather(*asked)


def test_idle_cores_are_those_of_the_kernel_since_the_last_look(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 100 1000 50 0 0 0 0 0\ncpu0 1 1 1 1\n")
    signals = ScalingSignals({}, lambda: False, sees_machine=True, stat_path=stat)
    time.sleep(0.1)
    stat.write_text("cpu  100 0 100 1010 60 0 0 0 0 0\ncpu0 1 1 1 1\n")  # 0.2 s of idle time more
    assert 0 < signals.read()["idle_cores"] <= 2.0
    assert "idle_cores" not in ScalingSignals({}, lambda: False, sees_machine=True, stat_path=tmp_path / "none").read()


def test_an_event_loop_that_is_always_busy_counts_as_work_that_waits():
    signals = ScalingSignals({}, lambda: False, sees_machine=False)
    began_s = time.process_time()
    while time.process_time() - began_s < 0.05:
        pass
    signals._read_s = time.monotonic() - 0.05  # whatever else the machine does meanwhile
    assert signals.read()["WorkflowRouter|wait_s"] == 0.5
    time.sleep(0.05)
    assert signals.read()["WorkflowRouter|wait_s"] == 0.0
