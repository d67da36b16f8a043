"""Models on accelerators that are not there, behind a real cluster."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from load_tests.capacity.emulated_cluster import MODEL_ID, EmulatedCluster
from tests.cluster.server import Server
from workflows.values.image_codec import encode_jpeg

pytestmark = pytest.mark.cluster

REPLICAS = 4
# A second for any batch: while one runs, all others gather.
CLUSTER = EmulatedCluster(replicas=REPLICAS, fixed_ms=1000, per_item_ms=0.001, max_batch_items=8)


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("emulated")
    CLUSTER.write_package(folder / "models" / MODEL_ID)
    (folder / "serve_config.yaml").write_text(yaml.safe_dump(CLUSTER.serve_config()))
    server = Server(
        "--models", str(folder / "models"), "--config", str(folder / "serve_config.yaml"), "--emulated-accelerators"
    )
    server.wait_for("EMULATED ACCELERATORS ARE ON")
    server.wait_for("ready http")
    yield server
    server.stop()


async def ask(url: str, *, clients: int, times: int) -> list[httpx.Response]:
    """Answers to clients that ask side by side, each of them one question after another."""
    picture = base64.b64encode(encode_jpeg(np.full((64, 64, 3), 110, dtype=np.uint8))).decode()
    body = {"model_id": MODEL_ID, "image": {"type": "base64", "value": picture}}

    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=clients)) as http:

        async def in_turn() -> list[httpx.Response]:
            return [await http.post(f"{url}/infer/object_detection", json=body) for _ in range(times)]

        return [answer for answers in await asyncio.gather(*(in_turn() for _ in range(clients))) for answer in answers]


def test_a_server_that_is_told_to_serves_made_up_answers_in_batches_and_says_so(emulated: Server) -> None:
    answers = asyncio.run(ask(emulated.url, clients=64, times=1))
    assert {answer.status_code for answer in answers} == {200}
    found = [found for answer in answers for found in answer.json()["predictions"]]
    # of 8, 8, 40, 24 on a picture of the network's own size
    assert {(each["x"], each["y"], each["width"]) for each in found} == {(24, 16, 32)}
    calls, items = (emulated.coalescing(counter, MODEL_ID) for counter in ("calls", "items"))
    assert items > 2 * calls
    logs = "".join(log.read_text() for log in emulated.log_dir.glob("object-detector-*.log"))
    assert "EMULATED ACCELERATOR: no network runs" in logs


def behind_another(answer: httpx.Response) -> bool:
    """Whether a call waited at its replica for another one, which takes a second."""
    return any(float(ms) > 700 for ms in re.findall(r"transfer;dur=([\d.]+)", answer.headers["Server-Timing"]))


def test_no_call_waits_behind_another_while_a_replica_has_none(emulated: Server) -> None:
    asyncio.run(ask(emulated.url, clients=64, times=1))  # which tells the WorkflowRouter how many there are
    answers = asyncio.run(ask(emulated.url, clients=REPLICAS, times=6))
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.headers["Server-Timing"] for answer in answers if behind_another(answer)] == []


async def test_tensors_of_requests_that_come_together_share_calls(emulated: Server) -> None:
    tensor = {"name": "images", "shape": [1, 3, 64, 64], "datatype": "FP32", "data": [0.5] * (3 * 64 * 64)}
    name, version = MODEL_ID.split("/")
    url = f"{emulated.url}/v2/models/{name}/versions/{version}/infer"
    async with httpx.AsyncClient(timeout=60) as http:
        answers = await asyncio.gather(*(http.post(url, json={"inputs": [tensor]}) for _ in range(32)))
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert emulated.coalescing("shared_calls", "tensors") > 0
