"""Replicas that come when work waits, and the first of a model that has none."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from deployments.cli.serve_config import default_config_path, read_serve_config
from load_tests.capacity.emulated_cluster import MODEL_ID, EmulatedCluster
from tests.cluster.photographs import image_input, photograph
from tests.cluster.server import Server
from tests.conformance.detector_packages import write_detector_package

pytestmark = pytest.mark.cluster

SLEEPER, BUSY = "sleeper/1", MODEL_ID
# Waits are long whatever else the machine does: a call of four pictures takes 0.6 s, and no processor.
SLOW = EmulatedCluster(replicas=1, fixed_ms=200, per_item_ms=100, max_batch_items=4)
START_WITHIN_S = 90.0
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster with a model that has no replica before it is asked for, and one that may have two."""
    folder = tmp_path_factory.mktemp("scaling")
    write_detector_package(folder / "models" / SLEEPER, SLEEPER, 640)
    SLOW.write_package(folder / "models" / BUSY)
    config = read_serve_config(default_config_path())
    config["applications"][0]["args"] = {
        "grow_on_idle_cores": False,  # two cores would be busy with one replica
        "models": {
            SLEEPER: {"replicas": 0, "idle_s": 5},
            BUSY: {"replicas": 1, "max_replicas": 2, "max_batch_items": SLOW.max_batch_items},
        },
    }
    path = folder / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config))
    started = Server("--config", str(path), "--models", str(folder / "models"), "--emulated-accelerators")
    try:
        started.wait_for("ready http")
        yield started
    finally:
        started.stop()


def question(model_id: str) -> bytes:
    body = {"model_id": model_id, "image": image_input(photograph(2, 3)), "confidence": 0.2}
    return json.dumps(body).encode()


def wait_until(what: Any, within_s: float) -> float:
    """Seconds until `what()` holds."""
    began_s = time.monotonic()
    while not what():
        assert time.monotonic() - began_s < within_s, "it never came to that"
        time.sleep(0.1)
    return time.monotonic() - began_s


@pytest.mark.slow
def test_a_model_without_replicas_gets_one_for_its_first_request_and_gives_it_up_when_idle(server):
    name = "ObjectDetector-sleeper.1"
    assert server.replica_pids(name) == []
    assert httpx.get(f"{server.url}/model/registry", timeout=30).status_code == 200  # lists what is there
    for _ in range(2):
        began_s = time.monotonic()
        answer = httpx.post(f"{server.url}/infer/object_detection", content=question(SLEEPER), headers=JSON, timeout=90)
        assert answer.status_code == 200, answer.text
        print(f"answered from nothing after {time.monotonic() - began_s:.1f} s")
        assert len(server.replica_pids(name)) == 1
        wait_until(lambda: server.replica_pids(name) == [], within_s=60)
    server.wait_until_at_rest()


async def test_work_that_waits_brings_a_second_replica(server):
    name = "ObjectDetector-emulated.1"
    assert len(server.replica_pids(name)) == 1
    ended, statuses, body = asyncio.Event(), [], question(BUSY)

    async def client() -> None:
        async with httpx.AsyncClient(timeout=60) as session:
            while not ended.is_set():
                answer = await session.post(f"{server.url}/infer/object_detection", content=body, headers=JSON)
                statuses.append(answer.status_code)

    clients = [asyncio.create_task(client()) for _ in range(16)]
    decided_s = await asyncio.to_thread(wait_until, lambda: len(server.replica_pids(name)) == 2, START_WITHIN_S)
    served_s = await asyncio.to_thread(
        wait_until, lambda: server.coalescing("slots", BUSY) == 4, START_WITHIN_S
    )  # two calls for each replica that has answered
    print(f"a second process after {decided_s:.1f} s, which served {served_s:.1f} s later")
    ended.set()
    await asyncio.gather(*clients)
    assert set(statuses) == {200}
