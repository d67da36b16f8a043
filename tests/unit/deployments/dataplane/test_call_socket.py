"""Calls over real sockets, both sides in one loop; what a killed process does is a closed connection."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deployments.dataplane.call_socket import CallConnection, CallServer, ConnectionLostError
from deployments.errors import ModelNotLoadedError
from tests.unit.deployments.waiting import until


class Replica:
    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []

    async def double(self, value: Any) -> Any:
        self.begun.append(value)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.append(value)
            raise
        return value * 2

    async def fail(self, error: Exception) -> None:
        raise error

    async def give_what_cannot_travel(self, _: Any) -> Any:
        return lambda: None


class SealedError(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("not to be pickled")


class OrderedError(Exception):
    """Can be pickled, and not be made again."""

    def __init__(self, *, keyword: str) -> None:
        super().__init__(keyword)


@pytest.fixture
async def replica(tmp_path: Path):
    served = Replica()
    methods = {name: getattr(served, name) for name in ("double", "fail", "give_what_cannot_travel")}
    served.server = CallServer(methods, tmp_path / "a")
    yield served
    served.gate.set()
    await served.server.close()


async def connected(folder: Path) -> CallConnection:
    _, connection = await asyncio.get_running_loop().create_unix_connection(CallConnection, str(folder / "a"))
    return connection


async def until_begun(replica: Replica, count: int) -> None:
    await until(lambda: len(replica.begun) == count)


async def test_a_call_is_answered_with_what_the_method_gives(replica, tmp_path):
    connection = await connected(tmp_path)
    assert await connection.call("double", 21) == 42
    doubled = await connection.call("double", np.arange(3))
    assert doubled.tolist() == [0, 2, 4]
    doubled[0] = 7  # what comes from another process can be written to


async def test_calls_under_way_at_once_get_each_its_own_answer(replica, tmp_path):
    connections = [await connected(tmp_path) for _ in range(2)]
    asked = [connection.call("double", value) for value in range(20) for connection in connections]
    assert await asyncio.gather(*asked) == [value * 2 for value in range(20) for _ in connections]


async def test_a_call_of_many_megabytes_arrives_whole_and_small_ones_beside_it(replica, tmp_path):
    connection = await connected(tmp_path)
    large = bytes(range(256)) * (1 << 17)
    doubled, *small = await asyncio.gather(
        connection.call("double", large), *(connection.call("double", value) for value in range(5))
    )
    assert doubled == large * 2
    assert small == [0, 2, 4, 6, 8]


async def test_an_error_is_the_one_that_the_method_raised(replica, tmp_path):
    connection = await connected(tmp_path)
    with pytest.raises(ModelNotLoadedError) as raised:
        await connection.call("fail", ModelNotLoadedError("not here", "a", ("m/1",)))
    assert (raised.value.replica_id, raised.value.loaded_ids) == ("a", ("m/1",))


async def test_an_error_nobody_thought_of_says_where_it_came_from(replica, tmp_path):
    connection = await connected(tmp_path)
    with pytest.raises(ValueError, match="odd") as raised:
        await connection.call("fail", ValueError("odd"))
    assert "in fail" in raised.value.__notes__[0]


async def test_an_error_that_cannot_travel_is_told_in_words(replica, tmp_path):
    replica.server.methods["fail"] = lambda kind: replica.fail(
        SealedError() if kind == 1 else OrderedError(keyword="x")
    )
    connection = await connected(tmp_path)
    for kind, name in ((1, "SealedError"), (2, "OrderedError")):
        with pytest.raises(RuntimeError, match=f"{name} in a replica"):
            await connection.call("fail", kind)


async def test_an_answer_that_cannot_travel_is_an_error_and_not_waited_for(replica, tmp_path):
    connection = await connected(tmp_path)
    with pytest.raises((AttributeError, RuntimeError, pickle.PicklingError)):
        await asyncio.wait_for(connection.call("give_what_cannot_travel", 1), 5)
    assert await connection.call("double", 1) == 2


async def test_a_method_that_is_not_offered_cannot_be_called(replica, tmp_path):
    with pytest.raises(KeyError):
        await (await connected(tmp_path)).call("__init__", None)


async def test_a_call_that_is_given_up_is_given_up_over_there_and_the_others_go_on(replica, tmp_path):
    replica.gate.clear()
    connection = await connected(tmp_path)
    given_up, kept = (asyncio.create_task(connection.call("double", value)) for value in (1, 2))
    await until_begun(replica, 2)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await until(lambda: replica.cancelled == [1])
    replica.gate.set()
    assert await kept == 4


async def test_whoever_hangs_up_gives_up_all_its_calls(replica, tmp_path):
    replica.gate.clear()
    connection = await connected(tmp_path)
    calls = [asyncio.create_task(connection.call("double", value)) for value in (1, 2)]
    await until_begun(replica, 2)
    connection.transport.abort()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, ConnectionLostError)
    await until(lambda: sorted(replica.cancelled) == [1, 2])


async def test_a_replica_that_goes_away_fails_the_calls_under_way_and_those_after(replica, tmp_path):
    replica.gate.clear()
    connection = await connected(tmp_path)
    call = asyncio.create_task(connection.call("double", 1))
    await until_begun(replica, 1)
    for callee in list(replica.server._connections):
        callee.transport.abort()
    with pytest.raises(ConnectionLostError, match="went away"):
        await call
    with pytest.raises(ConnectionLostError, match="has closed"):
        await connection.call("double", 1)


async def test_a_replica_that_ends_answers_what_it_has_begun(replica, tmp_path):
    replica.gate.clear()
    connection = await connected(tmp_path)
    call = asyncio.create_task(connection.call("double", 1))
    await until_begun(replica, 1)
    closing = asyncio.create_task(replica.server.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    with pytest.raises(OSError, match="No such file"):
        await connected(tmp_path)
    replica.gate.set()
    assert await call == 2
    await closing
    await until(lambda: not connection.is_open)
