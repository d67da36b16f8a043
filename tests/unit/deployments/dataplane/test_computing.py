"""The one thread of a replica."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from deployments.dataplane.backend import ModelLoad
from deployments.dataplane.computing import ComputeThread, StuckError
from deployments.models.engines.turn import waiting
from workflows.errors import DeadlineExceededError
from workflows.values.image_codec import decode_pixels, encode_jpeg

NEVER_LATE = 1e12


@pytest.fixture
def thread():
    made = ComputeThread("test", "replica-1", clock_s=lambda: 100.0)
    yield made
    made.close()


async def test_every_item_in_time_is_computed_in_order(thread):
    answer = await thread.run([101.0, 102.0], lambda live: [at * 10 for at in live])
    assert answer.results == [0, 10]
    assert answer.replica_id == "replica-1"
    assert answer.compute_ms >= 0


async def test_an_item_whose_time_is_over_is_not_begun(thread):
    begun = []
    answer = await thread.run([99.0, 101.0, 100.0], lambda live: begun.extend(live) or ["done"] * len(live))
    assert begun == [1]
    assert answer.results[1] == "done"
    assert isinstance(answer.results[0], DeadlineExceededError)
    assert isinstance(answer.results[2], DeadlineExceededError)


async def test_a_call_whose_items_are_all_late_computes_nothing(thread):
    def never(live):
        raise AssertionError("began")

    answer = await thread.run([1.0], never)
    assert isinstance(answer.results[0], DeadlineExceededError)


async def test_loads_travel_with_the_answer(thread):
    load = ModelLoad(model_id="a/1", seconds=0.5)
    assert (await thread.run([], lambda live: [], (load,))).model_loads == (load,)


async def test_the_answer_counts_the_pictures_of_its_call_alone(thread):
    pixels = np.zeros((4, 4, 3), np.uint8)
    await thread.run([101.0], lambda live: [encode_jpeg(pixels)])
    answer = await thread.run([101.0], lambda live: [decode_pixels(encode_jpeg(pixels))])
    assert (answer.decodes, answer.encodes) == (1, 1)


async def test_a_call_that_waits_for_its_turn_can_be_taken_back(thread):
    gate = threading.Event()
    begun = []
    first = asyncio.ensure_future(thread.run([101.0], lambda live: [gate.wait(5)]))
    await asyncio.sleep(0.02)
    second = asyncio.ensure_future(thread.run([101.0], lambda live: begun.append(1) or [1]))
    await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.sleep(0.02)
    gate.set()
    await first
    await thread.run([101.0], lambda live: [1])
    assert begun == []


async def test_the_answer_says_how_long_its_call_waited_for_its_turn_and_had_it(thread):
    gate = threading.Event()

    def ask_elsewhere(live):
        with waiting():
            assert gate.wait(5)
            time.sleep(0.02)
        return ["done"]

    def compute(live):
        time.sleep(0.02)
        gate.set()
        return ["done"]

    first = asyncio.ensure_future(thread.run([101.0], ask_elsewhere))
    await asyncio.sleep(0.01)
    second, third = (
        asyncio.ensure_future(thread.run([101.0], compute)),
        asyncio.ensure_future(thread.run([101.0], compute)),
    )
    elsewhere, computed, after = await asyncio.gather(first, second, third)
    assert elsewhere.compute_ms - elsewhere.turn_ms >= 40
    assert computed.turn_ms == computed.compute_ms >= 20
    assert after.queued_ms >= computed.compute_ms / 2


async def test_calls_that_wait_for_other_servers_do_so_together(thread):
    both_wait = threading.Barrier(2)

    def compute(live):
        with waiting():
            both_wait.wait(10)
        return [0 for _ in live]

    answers = await asyncio.gather(*(thread.run([NEVER_LATE], compute) for _ in range(2)))
    assert [answer.results for answer in answers] == [[0], [0]]


async def test_a_computation_that_does_not_end_makes_the_replica_sick():
    thread = ComputeThread("test", "r", stuck_after_s=0.01, clock_s=lambda: 0.0)
    gate = threading.Event()
    thread.check()
    running = asyncio.ensure_future(thread.run([1.0], lambda live: [gate.wait(5)]))
    await asyncio.sleep(0.05)
    with pytest.raises(StuckError, match=r"more than 0.01 s"):
        thread.check()
    gate.set()
    await running
    thread.check()
    thread.close()


async def test_an_error_of_the_computation_is_not_swallowed(thread):
    def broken(live):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await thread.run([101.0], broken)
    thread.check()
