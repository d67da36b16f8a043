"""The coalescing queue, against a deployment made of a list."""

from __future__ import annotations

import asyncio
import time

import pytest

from deployments.dataplane.messages import CallAnswer
from deployments.errors import OverloadedError, ReplicaLostError
from deployments.router.coalescing import CoalescingQueue
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


async def test_work_leaves_at_once_while_a_slot_is_free():
    deployment = FakeDeployment()
    queue = make(deployment)
    ask(queue, 1)
    await turn()
    ask(queue, 2)
    await turn()
    assert deployment.calls == [("m", [1]), ("m", [2])]
    open_gate(deployment)
    await turn()


async def test_items_submitted_in_one_turn_share_the_first_call():
    deployment = open_gate(FakeDeployment())
    queue = make(deployment)
    assert await values([ask(queue, number) for number in range(5)]) == [0, 10, 20, 30, 40]
    assert deployment.calls == [("m", [0, 1, 2, 3, 4])]


async def test_work_of_different_requests_gathers_while_all_slots_are_busy():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    first = ask(queue, 1)
    await turn()
    rest = [ask(queue, number, request_id=f"r{number}") for number in (2, 3, 4)]
    await turn()
    assert [payloads for _, payloads in deployment.calls] == [[1]]
    open_gate(deployment)
    assert await values([first, *rest]) == [10, 20, 30, 40]
    assert [payloads for _, payloads in deployment.calls] == [[1], [2, 3, 4]]
    assert (queue.counters.calls, queue.counters.items, queue.counters.shared_calls) == (2, 4, 1)
    assert queue.counters.batch_sizes == {1: 1, 3: 1}


async def busy_queue(turn_ms: float, **limits):
    """A queue that knows how long an item takes and has one call under way, and its deployment, which answers none."""
    deployment = open_gate(FakeDeployment(turn_ms=turn_ms))
    queue = make(deployment, **limits)
    await ask(queue, 0)
    deployment.gate.clear()
    first = ask(queue, 1)
    await turn()
    assert deployment.calls == [("m", [0]), ("m", [1])]
    return deployment, queue, first


async def test_work_gathers_while_the_only_replica_is_known_to_be_busy():
    deployment, queue, first = await busy_queue(turn_ms=60_000)
    rest = []
    for number in (2, 3, 4):
        rest.append(ask(queue, number))
        await turn()
    assert len(deployment.calls) == 2
    open_gate(deployment)
    assert await values([first, *rest]) == [10, 20, 30, 40]
    assert deployment.calls[2:] == [("m", [2, 3, 4])]
    assert at_rest(queue)


async def queue_of_two_replicas(turn_ms: float, **options):
    """A queue that has heard of two replicas, neither of which has anything to do, and their deployment."""
    deployment = open_gate(FakeDeployment(turn_ms=turn_ms, replica_ids=("a", "b")))
    queue = make(deployment, **options)
    for number in (0, 1):
        await ask(queue, number)
    deployment.calls.clear()
    return deployment, queue


async def test_replicas_that_have_nothing_to_do_share_the_work_of_one_request():
    deployment, queue = await queue_of_two_replicas(turn_ms=60_000)
    assert await values([ask(queue, number) for number in range(7)]) == [number * 10 for number in range(7)]
    assert [payloads for _, payloads in deployment.calls] == [[0, 1, 2, 3], [4, 5, 6]]


async def test_a_replica_that_is_busy_has_no_share():
    deployment, queue = await queue_of_two_replicas(turn_ms=60_000)
    deployment.gate.clear()
    first = ask(queue, 2)
    await turn()
    rest = [ask(queue, number) for number in (3, 4, 5)]
    await turn()
    assert [payloads for _, payloads in deployment.calls] == [[2], [3, 4, 5]]
    open_gate(deployment)
    await values([first, *rest])


async def test_a_replica_that_would_have_to_load_the_model_has_no_share():
    deployment, queue = await queue_of_two_replicas(turn_ms=60_000)
    queue._holders = {"m": 1}.get
    await values([ask(queue, number) for number in range(7)])
    assert [payloads for _, payloads in deployment.calls] == [list(range(7))]


async def test_work_that_takes_no_time_is_not_shared():
    deployment, queue = await queue_of_two_replicas(turn_ms=0)
    await values([ask(queue, number) for number in range(7)])
    assert [payloads for _, payloads in deployment.calls] == [list(range(7))]


async def test_a_full_call_waits_for_nobody_while_there_is_a_slot():
    deployment, queue, first = await busy_queue(turn_ms=60_000, max_batch_items=2)
    rest = [ask(queue, number) for number in (2, 3, 4)]
    await turn()
    assert deployment.calls[2:] == [("m", [2, 3])]
    open_gate(deployment)
    await values([first, *rest])
    assert deployment.calls[3:] == [("m", [4])]


async def test_the_next_call_leaves_when_the_replica_is_about_to_be_free_and_not_only_when_it_has_answered():
    deployment, queue, first = await busy_queue(turn_ms=50)
    rest = [ask(queue, 2), ask(queue, 3)]
    await turn()
    assert len(deployment.calls) == 2
    await asyncio.sleep(0.5)
    assert deployment.calls[2:] == [("m", [2, 3])]
    assert not first.done()
    open_gate(deployment)
    await values([first, *rest])


async def test_a_replica_that_only_waits_for_another_server_is_sent_the_next_call_at_once():
    deployment, queue, first = await busy_queue(turn_ms=0)
    second = ask(queue, 2)
    await turn()
    assert deployment.calls[2:] == [("m", [2])]
    open_gate(deployment)
    await values([first, second])


async def test_work_that_gathers_goes_when_its_requester_does():
    deployment, queue, first = await busy_queue(turn_ms=60_000)
    gone, stays = ask(queue, 2), ask(queue, 3)
    await turn()
    gone.cancel()
    await turn()
    open_gate(deployment)
    assert await values([first, stays]) == [10, 30]
    assert deployment.calls[2:] == [("m", [3])]
    assert at_rest(queue)


async def test_a_call_holds_no_more_items_than_the_limit():
    deployment = open_gate(FakeDeployment())
    queue = make(deployment, max_batch_items=2)
    assert await values([ask(queue, number) for number in range(5)]) == [0, 10, 20, 30, 40]
    assert [payloads for _, payloads in deployment.calls] == [[0, 1], [2, 3], [4]]


async def test_a_call_holds_no_more_bytes_than_the_limit_except_for_one_item_alone():
    deployment = open_gate(FakeDeployment())
    queue = make(deployment, max_batch_bytes=10)
    sizes = [6, 4, 1, 50, 1]
    await values([ask(queue, number, size_bytes=size) for number, size in enumerate(sizes)])
    assert [payloads for _, payloads in deployment.calls] == [[0, 1], [2], [3], [4]]


async def test_a_call_holds_no_more_pixels_than_the_limit_except_for_one_item_alone():
    deployment = open_gate(FakeDeployment())
    queue = make(deployment, max_batch_pixels=10)
    sizes = [6, 4, 1, 50, 1]
    await values([ask(queue, number, size_bytes=1, size_px=size) for number, size in enumerate(sizes)])
    assert [payloads for _, payloads in deployment.calls] == [[0, 1], [2], [3], [4]]
    assert queue.counters.sent_bytes == 5


async def test_models_do_not_share_a_call_and_the_longest_waiting_goes_first():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    tasks = [ask(queue, 1)]
    await turn()
    for payload, key in ((2, "x"), (3, "y"), (4, "x")):
        tasks.append(ask(queue, payload, key=key))
        await turn()
    open_gate(deployment)
    assert await values(tasks) == [10, 20, 30, 40]
    assert deployment.calls == [("m", [1]), ("x", [2, 4]), ("y", [3])]


async def test_a_poisoned_item_fails_alone():
    queue = make(open_gate(FakeDeployment()))
    good, bad, other = (ask(queue, payload) for payload in (1, -2, 3))
    assert await values([good, other]) == [10, 30]
    with pytest.raises(ValueError, match="poison -2"):
        await bad
    assert at_rest(queue)


async def test_slots_grow_with_the_replicas_that_answer():
    deployment = open_gate(FakeDeployment(replica_ids=("a", "b", "c")))
    queue = make(deployment, slots_per_replica=2, max_batch_items=1)
    assert queue.slots == 2
    await values([ask(queue, number) for number in range(6)])
    assert queue.slots == 6


async def test_a_replica_that_has_not_answered_for_long_does_not_count():
    queue = make(open_gate(FakeDeployment(replica_ids=("a", "b"))), max_batch_items=1, replica_memory_s=0.05)
    await values([ask(queue, number) for number in range(2)])
    await asyncio.sleep(0.06)
    assert queue.slots == 2


async def test_an_item_past_its_deadline_is_refused_before_anything_is_sent():
    deployment = FakeDeployment()
    queue = make(deployment)
    with pytest.raises(DeadlineExceededError, match="before the fake was asked"):
        await ask(queue, 1, in_s=-1)
    await turn()
    assert deployment.calls == []
    assert queue.counters.expired == 1


async def test_an_item_that_waits_past_its_deadline_never_leaves():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    first = ask(queue, 1)
    await turn()
    with pytest.raises(DeadlineExceededError, match="waiting for the fake"):
        await ask(queue, 2, in_s=0.01)
    open_gate(deployment)
    await first
    await turn()
    assert deployment.calls == [("m", [1])]
    assert at_rest(queue)


async def test_a_call_whose_only_item_ran_out_of_time_is_given_up():
    deployment = FakeDeployment()
    queue = make(deployment)
    with pytest.raises(DeadlineExceededError, match="was working on it"):
        await ask(queue, 1, in_s=0.01)
    await turn()
    assert deployment.cancelled == 1
    assert at_rest(queue)


async def test_a_cancelled_item_leaves_the_queue():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    first = ask(queue, 1)
    await turn()
    second, third = ask(queue, 2), ask(queue, 3)
    await turn()
    second.cancel()
    await turn()
    assert queue.counters.queued_items == 1
    open_gate(deployment)
    assert await values([first, third]) == [10, 30]
    assert deployment.calls == [("m", [1]), ("m", [3])]


async def test_a_call_goes_on_while_anybody_waits_for_it():
    deployment = FakeDeployment()
    queue = make(deployment)
    gone, waits = ask(queue, 1), ask(queue, 2)
    await turn()
    gone.cancel()
    await turn()
    assert deployment.cancelled == 0
    assert queue.counters.in_flight_items == 1
    open_gate(deployment)
    assert await values([waits]) == [20]


async def test_a_call_that_nobody_waits_for_frees_its_slot():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    first, second = ask(queue, 1), ask(queue, 2)
    await turn()
    ask(queue, 3)
    await turn()
    first.cancel()
    second.cancel()
    await turn()
    assert deployment.cancelled == 1
    assert deployment.calls == [("m", [1, 2]), ("m", [3])]
    open_gate(deployment)
    await turn()
    assert queue.counters.cancelled == 2
    assert at_rest(queue)


async def test_a_call_cancelled_before_its_first_step_frees_its_slot():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    task = ask(queue, 1)
    await asyncio.sleep(0)  # submitted
    queue._dispatch()
    task.cancel()
    await turn()
    assert deployment.calls == []
    assert at_rest(queue)


async def test_a_call_lost_with_its_replica_is_sent_once_more():
    deployment = open_gate(FakeDeployment(deaths=1))
    queue = make(deployment)
    assert await values([ask(queue, 1), ask(queue, 2)]) == [10, 20]
    assert deployment.calls == [("m", [1, 2]), ("m", [1, 2])]
    assert (queue.counters.retries, queue.counters.items) == (1, 2)


async def test_a_second_loss_is_an_error():
    queue = make(open_gate(FakeDeployment(deaths=2)))
    with pytest.raises(ReplicaLostError, match="two replicas of the fake"):
        await ask(queue, 1)
    await turn()
    assert queue.counters.lost == 1
    assert at_rest(queue)


async def test_an_error_of_the_call_itself_reaches_every_item_and_is_not_repeated():
    calls = []

    async def send(key, payloads, deadlines, may_load):
        calls.append(payloads)
        raise RuntimeError("broken")

    queue = CoalescingQueue("the fake", send, lost_errors=(ReplicaDiedError,))
    outcomes = await asyncio.gather(ask(queue, 1), ask(queue, 2), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["broken", "broken"]
    assert calls == [[1, 2]]


async def test_a_call_that_the_other_side_cancels_counts_as_lost():
    calls = []

    async def send(key, payloads, deadlines, may_load):
        calls.append(payloads)
        if len(calls) == 1:
            raise asyncio.CancelledError
        return CallAnswer(results=payloads, replica_id="a", compute_ms=0.0)

    queue = CoalescingQueue("the fake", send, lost_errors=(ReplicaDiedError,))
    assert await values([ask(queue, 7)]) == [7]
    assert queue.counters.retries == 1


async def test_a_full_queue_refuses():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1, max_queued_items=2)
    first = ask(queue, 0)
    await turn()
    kept = [ask(queue, 1), ask(queue, 2)]
    await turn()
    with pytest.raises(OverloadedError, match="2 pieces of work wait for the fake"):
        await ask(queue, 3)
    assert queue.counters.refused == 1
    open_gate(deployment)
    assert await values([first, *kept]) == [0, 10, 20]


async def test_an_answer_says_where_the_time_went():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    first, second = ask(queue, 1), None
    await turn()
    second = ask(queue, 2)
    await asyncio.sleep(0.02)
    open_gate(deployment)
    away, waited = await asyncio.gather(first, second)
    assert away.queue_ms < 10
    assert away.transfer_ms >= 15
    assert away.compute_ms == 1.0
    assert waited.queue_ms >= 15


async def test_a_wait_behind_another_call_counts_while_anything_is_under_way():
    deployment = FakeDeployment()
    queue = make(deployment, slots_per_replica=1)
    assert queue.longest_wait_s == 0.0
    first = ask(queue, 1)
    await turn()
    assert (queue.longest_wait_s, queue.pending_items) == (0.0, 1)
    await asyncio.sleep(0.05)
    deployment.gate.set()
    await first
    assert queue.longest_wait_s == 0.0
    deployment.gate.clear()
    second = ask(queue, 2)
    await turn()
    assert queue.longest_wait_s >= 0.04  # the call before took so much longer than it computed
    deployment.gate.set()
    await second


async def test_an_item_whose_timer_is_late_does_not_leave():
    deployment = open_gate(FakeDeployment())
    queue = make(deployment)
    asked = [ask(queue, 1, in_s=0.01), ask(queue, 2)]
    await asyncio.sleep(0)
    time.sleep(0.02)  # noqa: ASYNC251 - the loop is busy; the turn that sends comes before the one of the timer
    with pytest.raises(DeadlineExceededError):
        await asked[0]
    assert (await asked[1]).value == 20
    assert deployment.calls == [("m", [2])]
    assert queue.counters.expired == 1


async def test_bytes_sent_and_pictures_decoded_are_counted_once():
    async def send(key, payloads, deadlines, may_load):
        return CallAnswer(results=payloads, replica_id="a", compute_ms=0.0, decodes=2, encodes=1)

    queue = CoalescingQueue("the fake", send, lost_errors=())
    await asyncio.gather(ask(queue, 1, size_bytes=100), ask(queue, 2, size_bytes=20))
    assert (queue.counters.calls, queue.counters.sent_bytes) == (1, 120)
    assert (queue.counters.decodes, queue.counters.encodes) == (2, 1)
