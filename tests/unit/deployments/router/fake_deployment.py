"""A deployment that is a list of what it was called with, and ways to ask a queue for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from deployments.dataplane.messages import CallAnswer
from deployments.router.coalescing import CoalescingQueue
from deployments.settings import CoalescingLimits


class ReplicaDiedError(Exception):
    pass


@dataclass
class FakeDeployment:
    """Answers `payload * 10`; calls wait until `gate` is set; a payload below zero is poisoned."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[tuple[str, list[int]]] = field(default_factory=list)
    deaths: int = 0
    replica_ids: tuple[str, ...] = ("a",)
    cancelled: int = 0
    service_s: float = 0.0
    turn_ms: float = 0.0

    async def send(self, key: str, payloads: list[int], deadlines: list[float], may_load: bool) -> CallAnswer[int]:
        assert len(payloads) == len(deadlines)
        self.calls.append((key, payloads))
        replica_id = self.replica_ids[len(self.calls) % len(self.replica_ids)]
        try:
            await self.gate.wait()
            await asyncio.sleep(self.service_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.deaths:
            self.deaths -= 1
            raise ReplicaDiedError("gone")
        results = [ValueError(f"poison {payload}") if payload < 0 else payload * 10 for payload in payloads]
        return CallAnswer(results=results, replica_id=replica_id, compute_ms=1.0, turn_ms=self.turn_ms)


def make(deployment: FakeDeployment, **limits) -> CoalescingQueue[str, int, int]:
    return CoalescingQueue(
        "the fake", deployment.send, lost_errors=(ReplicaDiedError,), limits=CoalescingLimits(**limits)
    )


def ask(queue, payload: int, *, key: str = "m", request_id: str = "r", in_s: float = 60.0, **sizes: int):
    return asyncio.ensure_future(
        queue.submit(key, payload, deadline_unix_s=time.time() + in_s, request_id=request_id, **sizes)
    )


async def turn(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


def open_gate(deployment: FakeDeployment) -> FakeDeployment:
    deployment.gate.set()
    return deployment


async def values(tasks) -> list[int]:
    return [delivery.value for delivery in await asyncio.gather(*tasks)]


def at_rest(queue) -> bool:
    counters = queue.counters
    return (counters.queued_items, counters.in_flight_calls, counters.in_flight_items) == (0, 0, 0)
