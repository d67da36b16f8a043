import asyncio
import time

import pytest

from tests.unit.workflows.ticking import TickingTime
from workflows.errors import DeadlineExceededError
from workflows.executor import pace
from workflows.executor.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """Each look finds it later by more than a turn."""
    ticking = TickingTime(1.0)
    monkeypatch.setattr(pace, "time", ticking)
    return ticking


async def test_a_turn_is_over_after_a_few_milliseconds(clock):
    turn = Pace()
    assert [turn.is_over() for _ in range(3)] == [False, True, True]


async def test_a_turn_that_was_short_goes_on(monkeypatch):
    monkeypatch.setattr(pace, "time", TickingTime(0.001))
    turn = Pace()
    assert [turn.is_over() for _ in range(5)] == [False] * 5


async def test_time_in_which_the_loop_comes_by_is_not_counted(clock):
    turn = Pace()
    for _ in range(3):
        assert not turn.is_over()
        await asyncio.sleep(0)


async def test_what_waits_for_a_turn_lets_the_loop_in(clock):
    turn, came_by = Pace(), []
    turn.is_over()
    asyncio.get_running_loop().call_soon(came_by.append, "another")
    await turn.next_turn()
    assert came_by == ["another"]


async def test_each_of_many_gets_a_turn_of_its_own(clock):
    turn, order = Pace(), []

    async def element(name):
        if turn.is_over():
            await turn.next_turn()
        order.append(name)

    async def others():
        while len(order) < 4:
            order.append("loop")
            await asyncio.sleep(0)

    await asyncio.gather(*(element(name) for name in "ab"), others())
    assert order.index("a") < order.index("loop") < order.index("b")


async def test_no_turn_begins_after_the_deadline(clock):
    turn = Pace(deadline_unix_s=time.time() - 1)
    turn.is_over()
    with pytest.raises(DeadlineExceededError):
        await turn.next_turn()
