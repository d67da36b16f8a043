"""Calls to replicas that listen at real sockets, behind a handle of a few lines."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.serve._private.common import DeploymentID

from deployments.dataplane.call_socket import CallServer, ConnectionLostError
from deployments.router import deployment_calls
from deployments.router.deployment_calls import DeploymentCalls
from deployments.router.replicas_seen import LOST_S, ReplicasSeen, replicas_seen_here
from tests.unit.deployments.waiting import until

NUMBERS = count()
HERE = "this node"


class Replica:
    """Says who it is; its calls wait until `gate` is set."""

    def __init__(self, replica_id: str, folder: Path) -> None:
        self.replica_id = replica_id
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls: list[Any] = []
        self.server = CallServer({"who": self.who}, folder / replica_id)

    async def who(self, call: Any) -> str:
        self.calls.append(call)
        await self.gate.wait()
        return self.replica_id

    def die(self) -> None:
        self.server._path.unlink()
        for callee in list(self.server._connections):
            callee.transport.abort()


class Handle:
    """Serve's way: every call is answered by `serve`."""

    def __init__(self) -> None:
        self.deployment_id = DeploymentID(name=f"d{next(NUMBERS)}", app_name="a")
        self.calls: list[Any] = []

    @property
    def who(self) -> Any:
        handle = self

        class Method:
            def remote(self, call: Any) -> Any:
                handle.calls.append(call)
                return asyncio.ensure_future(asyncio.sleep(0, "serve"))

        return Method()


class Deployment:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.handle = Handle()
        self.calls = DeploymentCalls(
            self.handle, lambda replica_id, node_id: folder / replica_id if node_id == HERE else None
        )
        self.seen: ReplicasSeen = replicas_seen_here(self.handle.deployment_id.name, "a")

    def has(self, **node_ids: str) -> None:
        self.seen.take(node_ids, lambda call, replica_ids: [r for r in replica_ids if call in ("any", r)])

    async def who(self, call: str = "any") -> str:
        return await self.calls.answer("who", call)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


async def under_way(*replicas: Replica) -> None:
    await until(lambda: all(replica.calls for replica in replicas))


async def test_before_serve_has_said_which_replicas_there_are_it_is_asked(deployment):
    assert await deployment.who() == "serve"


async def test_replicas_on_this_machine_are_called_directly_those_without_calls_first(deployment, tmp_path):
    replicas = [Replica(name, tmp_path) for name in ("one", "two")]
    deployment.has(one=HERE, two=HERE)
    for replica in replicas:
        replica.gate.clear()
    calls = [asyncio.create_task(deployment.who()) for _ in range(4)]
    await under_way(*replicas)
    for replica in replicas:
        replica.gate.set()
    assert sorted(await asyncio.gather(*calls)) == ["one", "one", "two", "two"]
    assert deployment.handle.calls == []


async def test_what_a_call_needs_says_which_replicas_it_may_go_to(deployment, tmp_path):
    replicas = [Replica(name, tmp_path) for name in ("one", "two")]
    deployment.has(one=HERE, two=HERE)
    assert [await deployment.who("two") for _ in range(3)] == ["two"] * 3
    assert replicas[0].calls == []


@pytest.mark.parametrize("node_id", [HERE, "another node"])
async def test_replicas_that_do_not_listen_here_are_called_by_serve(deployment, node_id):
    deployment.has(one=node_id)
    assert [await deployment.who() for _ in range(2)] == ["serve", "serve"]


async def test_direct_calls_can_be_turned_off(deployment, tmp_path):
    replica = Replica("one", tmp_path)
    deployment.has(one=HERE)
    deployment.calls.direct = False
    assert (await deployment.who(), replica.calls) == ("serve", [])


async def test_a_call_that_is_lost_says_so_and_the_next_goes_to_another_replica(deployment, tmp_path, monkeypatch):
    monkeypatch.setattr(deployment_calls, "LOST_PAUSE_S", 0.0)
    dies, _ = (Replica(name, tmp_path) for name in ("one", "two"))
    deployment.has(one=HERE, two=HERE)
    dies.gate.clear()
    lost = asyncio.create_task(deployment.who("one"))
    await under_way(dies)
    dies.die()
    with pytest.raises(ConnectionLostError):
        await lost
    assert [await deployment.who() for _ in range(2)] == ["two", "two"]
    assert await deployment.who("one") == "serve"  # which knows when it is back


async def test_a_replica_that_died_while_it_had_no_call_costs_none(deployment, tmp_path):
    dies, _ = (Replica(name, tmp_path) for name in ("one", "two"))
    deployment.has(one=HERE, two=HERE)
    assert {await deployment.who(), await deployment.who()} == {"one", "two"}
    dies.die()
    await asyncio.sleep(0.01)
    assert [await deployment.who() for _ in range(3)] == ["two"] * 3
    assert deployment.handle.calls == []


async def test_a_replica_that_lost_its_connection_and_lives_is_connected_to_again(deployment, tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(deployment_calls, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    replica = Replica("one", tmp_path)
    deployment.has(one=HERE)
    assert await deployment.who() == "one"
    for callee in list(replica.server._connections):
        callee.transport.abort()
    await asyncio.sleep(0.01)
    assert await deployment.who() == "serve"
    clock[0] += LOST_S
    assert await deployment.who() == "one"


async def test_replicas_that_are_gone_are_forgotten(deployment, tmp_path):
    for name in ("one", "two"):
        Replica(name, tmp_path)
    deployment.has(one=HERE)
    await deployment.who()
    deployment.has(two=HERE)
    assert await deployment.who() == "two"
    assert list(deployment.calls._connections) == ["two"]
