"""A deployment of many models, behind a handle of a few lines."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ray.serve._private.common import DeploymentID

from deployments.dataplane.messages import CallAnswer, LoadCall, ReadCall
from deployments.errors import ModelNotLoadedError, ServingError
from deployments.router.model_deployment import ModelDeployment
from deployments.router.replica_contents import ReplicaContents
from deployments.settings import CoalescingLimits

LIMITS = CoalescingLimits(max_batch_items=2, slots_per_replica=1)


class Replicas:
    """Two replicas that load what they are asked for; calls go to the first that has the model, else to `first`."""

    deployment_id = DeploymentID(name="d", app_name="a")

    def __init__(self) -> None:
        self.held: dict[str, list[str]] = {"a": [], "b": []}
        self.calls: list[tuple[str, bool]] = []
        self.loads: list[str] = []
        self.load_fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def read(self) -> Any:
        return Method(self._read)

    @property
    def load(self) -> Any:
        return Method(self._load)

    async def _read(self, call: ReadCall) -> CallAnswer[str]:
        self.calls.append((call.model_id, call.may_load))
        await self.gate.wait()
        replica_id = next((name for name, held in self.held.items() if call.model_id in held), "a")
        if call.model_id not in self.held[replica_id]:
            if not call.may_load:
                raise ModelNotLoadedError("not here", replica_id, tuple(self.held[replica_id]))
            self.held[replica_id].append(call.model_id)
        return self._answer(replica_id, call.images)

    async def _load(self, call: LoadCall) -> CallAnswer[None]:
        self.loads.append(call.model_id)
        if self.load_fails:
            raise ServingError("no room")
        self.held["b"].append(call.model_id)
        return self._answer("b", ())

    def _answer(self, replica_id: str, results: Any) -> CallAnswer[Any]:
        return CallAnswer(
            results=results, replica_id=replica_id, compute_ms=1.0, loaded_ids=tuple(self.held[replica_id])
        )


class Method:
    def __init__(self, method: Any) -> None:
        self._method = method

    def remote(self, call: Any) -> Any:
        return asyncio.ensure_future(self._method(call))


def read_call(model_id: str, images: Any, deadlines_unix_s: Any, may_load: bool) -> ReadCall:
    return ReadCall(
        model_id=model_id, images=tuple(images), deadlines_unix_s=tuple(deadlines_unix_s), may_load=may_load
    )


def deployment(replicas: Replicas, contents: ReplicaContents | None) -> ModelDeployment[Any, Any]:
    return ModelDeployment("it", replicas, "read", read_call, limits=LIMITS, batch_items={}, contents=contents)


async def ask(deployed: ModelDeployment[Any, Any], model_id: str, item: str = "x") -> Any:
    delivery = await deployed.queue.submit(model_id, item, deadline_unix_s=time.time() + 60, request_id="r")
    return delivery.value


async def test_the_first_call_for_a_model_may_load_it_and_the_next_may_not():
    replicas, contents = Replicas(), ReplicaContents()
    deployed = deployment(replicas, contents)
    assert [await ask(deployed, "m/1"), await ask(deployed, "m/1", "y")] == ["x", "y"]
    assert replicas.calls == [("m/1", True), ("m/1", False)]
    assert contents.holders("m/1") == {"a"}


async def test_a_model_that_was_unloaded_meanwhile_is_loaded_again():
    replicas, contents = Replicas(), ReplicaContents()
    deployed = deployment(replicas, contents)
    await ask(deployed, "m/1")
    replicas.held["a"].clear()
    assert await ask(deployed, "m/1") == "x"
    assert replicas.calls == [("m/1", True), ("m/1", False), ("m/1", True)]


async def test_a_model_alone_is_never_asked_about():
    replicas = Replicas()
    deployed = deployment(replicas, None)
    await ask(deployed, "m/1")
    await ask(deployed, "m/1")
    assert replicas.calls == [("m/1", True), ("m/1", True)]


async def pressed(replicas: Replicas, contents: ReplicaContents, replicas_known: int) -> ModelDeployment[Any, Any]:
    """A deployment for whose model more waits than one call takes when a call comes back."""
    deployed = deployment(replicas, contents)
    await ask(deployed, "m/1")
    for name in list(replicas.held)[:replicas_known]:
        deployed.queue._replicas[name] = time.monotonic()  # it has answered of late
    replicas.gate.clear()
    asked = [asyncio.ensure_future(ask(deployed, "m/1")) for _ in range(12)]
    await asyncio.sleep(0.01)
    replicas.gate.set()
    await asyncio.gather(*asked)
    return deployed


async def test_a_model_that_one_replica_does_not_keep_up_with_is_loaded_by_another():
    replicas, contents = Replicas(), ReplicaContents()
    await pressed(replicas, contents, replicas_known=2)
    assert replicas.loads == ["m/1"]
    assert contents.holders("m/1") == {"a", "b"}


async def test_with_one_replica_nothing_can_be_spread():
    replicas, contents = Replicas(), ReplicaContents()
    await pressed(replicas, contents, replicas_known=1)
    assert replicas.loads == []


async def test_a_load_that_fails_takes_nothing_from_the_work():
    replicas, contents = Replicas(), ReplicaContents()
    replicas.load_fails = True
    await pressed(replicas, contents, replicas_known=2)
    assert replicas.loads
    assert contents.holders("m/1") == {"a"}
