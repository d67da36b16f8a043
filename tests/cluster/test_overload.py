"""More than the cluster can take: who is let in, what that costs in memory, and what the others are told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from deployments.dataplane.sample import TUTORIAL
from deployments.settings import MEBIBYTE, AdmissionLimits
from tests.cluster.photographs import image_input

pytestmark = pytest.mark.cluster

BUDGET_BYTES = AdmissionLimits().max_in_flight_bytes
CLIENTS = 50
JSON = {"content-type": "application/json"}
LEAST_BYTES = 15_000_000


def large_image() -> dict[str, str]:
    """15 MB of a request: a photograph of noise, which no codec makes smaller."""
    noise = np.random.default_rng(5).integers(0, 256, (2500, 2500, 3), dtype=np.uint8)
    image = image_input(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes())
    assert LEAST_BYTES < len(image["value"]) < 20 * MEBIBYTE - 10_000
    return image


def own_memory_bytes(pids: list[int]) -> int:
    """Memory of processes that no file stands behind."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


async def test_fifty_clients_with_large_bodies_take_no_more_memory_than_the_budget(server):
    """Half of them get the photograph back with their answer."""
    image = large_image()
    detection = json.dumps({"model_id": TUTORIAL["steps"][0]["model_id"], "image": image}).encode()
    tutorial = json.dumps({"specification": TUTORIAL, "inputs": {"image": image}}).encode()
    questions = (("/infer/object_detection", detection), ("/workflows/run", tutorial))
    pids = server.replica_pids("WorkflowRouter")
    answers: list[httpx.Response] = []
    peak_bytes = 0
    ended = asyncio.Event()

    async def ask(at: int) -> None:
        path, body = questions[at % 2]
        async with httpx.AsyncClient(timeout=120) as session:
            answers.append(await session.post(f"{server.url}{path}", content=body, headers=JSON))

    async def watch() -> None:
        nonlocal peak_bytes
        while not ended.is_set():
            peak_bytes = max(peak_bytes, await asyncio.to_thread(own_memory_bytes, pids))
            await asyncio.sleep(0.01)

    for at in (0, 1):
        await ask(at)  # what one request leaves behind in caches is there before
    idle_bytes = own_memory_bytes(pids)
    watching = asyncio.create_task(watch())
    await asyncio.gather(*(ask(at) for at in range(CLIENTS)))
    ended.set()
    await watching
    statuses = [answer.status_code for answer in answers]
    more_bytes = peak_bytes - idle_bytes
    print(f"{statuses.count(200)} answered, {more_bytes / MEBIBYTE:.0f} MiB more than at rest")
    assert set(statuses) == {200, 503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 503)
    assert more_bytes <= 1.1 * BUDGET_BYTES
    server.wait_until_at_rest()
    assert server.metrics()["admission_in_flight_bytes"] == 0
