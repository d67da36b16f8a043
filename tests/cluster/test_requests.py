"""A real cluster, asked by its clients."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import time
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from deployments.dataplane.sample import SAMPLE_PATH, TUTORIAL
from tests.cluster.conftest import OWN_MODEL, SAVED_WORKFLOW
from tests.cluster.photographs import image_input, photograph

pytestmark = pytest.mark.cluster

CLIENTS = 8
LOAD_S = float(os.environ.get("SIGHTLINE_LOAD_S", "60"))
SAMPLES = json.loads(SAMPLE_PATH.with_name("samples.json").read_text())
PLATES = (0, 1, 2, 3, 5, 8, 12, 0, 1, 4)
DETECT, *THEN = TUTORIAL["steps"]
DRAWN = {**TUTORIAL, "steps": [{**DETECT, "confidence": 0.2}, *THEN]}
"""The tutorial for drawn photographs: of their plates the detector is less sure than of real ones."""
FRESH_NAMES = {"detection_id", "parent_id", "root_parent_id", "inference_id", "video_metadata", "time"}


def body(jpeg: bytes, specification: dict[str, Any] = DRAWN, **more: Any) -> dict[str, Any]:
    inputs = {"image": image_input(jpeg)}
    return {"specification": specification, "inputs": inputs, "excluded_fields": ["image", "crops"], **more}


def without_ids(value: Any) -> Any:
    """The answer without what is made anew for each request, confidences to four digits."""
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items() if key not in FRESH_NAMES}
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def photographs() -> list[bytes]:
    return [photograph(plates, seed) for seed, plates in enumerate(PLATES)]


@pytest.fixture(scope="module")
def alone(server, photographs) -> list[Any]:
    """Answers to the photographs, asked one by one."""
    answers = []
    for jpeg in photographs:
        answer = httpx.post(f"{server.url}/workflows/run", json=body(jpeg), timeout=60)
        assert answer.status_code == 200, answer.text
        answers.append(without_ids(answer.json()["outputs"]))
    return answers


async def load(server, photographs, alone, seconds: float) -> tuple[int, list[str]]:
    """Eight clients for some time: number of requests, and what was wrong with answers."""
    end_s = time.monotonic() + seconds
    wrong: list[str] = []
    count = 0

    async def client(number: int) -> None:
        nonlocal count
        dice = random.Random(number)
        async with httpx.AsyncClient(timeout=60) as session:
            while time.monotonic() < end_s:
                which = dice.randrange(len(photographs))
                answer = await session.post(f"{server.url}/workflows/run", content=bodies[which], headers=JSON)
                count += 1
                if answer.status_code != 200:
                    wrong.append(f"{answer.status_code}: {answer.text[:300]}")
                elif without_ids(answer.json()["outputs"]) != alone[which]:
                    wrong.append(f"photograph {which} was answered differently")

    bodies = [json.dumps(body(jpeg)).encode() for jpeg in photographs]
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return count, wrong


JSON = {"Content-Type": "application/json"}


def test_the_command_says_what_it_read_and_how_to_ask(server):
    line = server.wait_for("ready http")
    assert line.startswith(f"ready {server.url} read ")
    assert f"-d @{server.log_dir.parent}/request.json" in server.wait_for("try: curl")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_plates_of_the_sample_photographs_are_read(server, name):
    jpeg = SAMPLE_PATH.with_name(name).read_bytes()
    answer = httpx.post(f"{server.url}/workflows/run", json=body(jpeg, TUTORIAL), timeout=60).json()
    read = answer["outputs"][0]["recognised_plates"]
    assert sorted("".join(text.split()) for text in read) == sorted(SAMPLES[name]["plates"])


def test_each_plate_found_is_read(alone):
    for plates, outputs in zip(PLATES, alone, strict=True):
        found = len(outputs[0]["predictions"]["predictions"])
        assert found == plates
        assert len(outputs[0]["recognised_plates"]) == found


@pytest.mark.parametrize(
    ("host", "status"),
    [("plates.localhost", 200), ("127.0.0.1", 200), ("localhost", 200), ("nobody.localhost", 404), ("a.example", 421)],
)
def test_the_host_says_which_endpoint_answers(server, host, status):
    answer = httpx.get(f"{server.url}/info", headers={"Host": f"{host}:{server.port}"})
    assert answer.status_code == status
    assert isinstance(answer.json(), dict)


def test_the_answer_says_where_the_time_of_each_step_went(server, photographs):
    answer = httpx.post(f"{server.url}/workflows/run", json=body(photographs[3]), timeout=60)
    timing = answer.headers["server-timing"]
    for step in TUTORIAL["steps"]:
        for part in ("queue", "transfer", "compute"):
            assert f"{step['name']}.{part};dur=" in timing


def test_an_answer_carries_the_id_of_its_request_once(server):
    answer = httpx.get(f"{server.url}/info", headers={"X-Request-ID": "of-my-own"})
    assert answer.headers.get_list("x-request-id") == ["of-my-own"]


def test_each_request_leaves_one_line_without_pixels_or_keys(server, photographs):
    marked = {"X-Request-ID": f"mark-{time.time_ns()}", "Authorization": "Bearer secret-key"}
    httpx.post(f"{server.url}/workflows/run", json=body(photographs[1]), headers=marked, timeout=60)

    def lines_of_request() -> list[str]:
        logs = (path.read_text() for path in server.log_dir.glob("workflow-router-*.log"))
        return [line for log in logs for line in log.splitlines() if marked["X-Request-ID"] in line]

    give_up_s = time.monotonic() + 10
    while not (lines := lines_of_request()) and time.monotonic() < give_up_s:  # written once the answer has left
        time.sleep(0.05)
    assert len(lines) == 1
    assert "status=200" in lines[0]
    assert "secret-key" not in lines[0]
    assert len(lines[0]) < 500


def test_a_model_is_listed_once_added_and_not_once_removed(server):
    def listed() -> set[str]:
        rows = httpx.get(f"{server.url}/model/registry", timeout=30).json()["models"]
        return {row["model_id"] for row in rows}

    model_id = "vehicle-registration-plates-trudk/2"
    assert {model_id, "doctr/default"} <= listed()
    httpx.post(f"{server.url}/model/remove", json={"model_id": model_id}, timeout=30)
    assert model_id not in listed()
    httpx.post(f"{server.url}/model/add", json={"model_id": model_id}, timeout=60)
    assert model_id in listed()


def test_a_model_of_the_owners_folder_answers_and_says_that_it_was_loaded(server, photographs):
    steps = [{**TUTORIAL["steps"][0], "model_id": OWN_MODEL}, *TUTORIAL["steps"][1:]]
    request = {**body(photographs[1]), "specification": {**TUTORIAL, "steps": steps}}
    first, second = (httpx.post(f"{server.url}/workflows/run", json=request, timeout=60) for _ in range(2))
    assert first.status_code == second.status_code == 200, first.text
    assert (first.headers["x-model-cold-start"], second.headers["x-model-cold-start"]) == ("true", "false")
    assert OWN_MODEL in second.headers["x-model-id"].split(",")


def test_a_saved_workflow_runs_by_its_name(server, photographs, alone):
    request = {key: value for key, value in body(photographs[2]).items() if key != "specification"}
    answer = httpx.post(f"{server.url}/{SAVED_WORKFLOW.replace('/', '/workflows/')}", json=request, timeout=60)
    assert answer.status_code == 200, answer.text
    assert without_ids(answer.json()["outputs"]) == alone[2]


async def test_answers_under_load_are_those_given_alone_and_requests_share_batches(server, photographs, alone):
    before = server.coalescing("shared_calls", "text_reader")
    sizes_before = server.coalescing("items", "text_reader") / max(1.0, server.coalescing("calls", "text_reader"))
    count, wrong = await load(server, photographs, alone, LOAD_S)
    assert wrong == []
    assert count > CLIENTS
    assert server.coalescing("shared_calls", "text_reader") > before
    assert server.coalescing("items", "text_reader") / server.coalescing("calls", "text_reader") > 1.0
    print(f"{count} requests in {LOAD_S:g} s; items a call before: {sizes_before:.1f}")
    server.wait_until_at_rest()


async def test_killed_replicas_fail_no_request(server, photographs, alone):
    async def killer() -> list[str]:
        killed = []
        for deployment in ("TextReader", "ObjectDetector", "TransformWorker"):
            await asyncio.sleep(2.0)
            pids = await asyncio.to_thread(server.replica_pids, deployment)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            killed += [deployment] * bool(pids)
            await asyncio.sleep(6.0)
        return killed

    (count, wrong), killed = await asyncio.gather(load(server, photographs, alone, max(30.0, LOAD_S)), killer())
    assert killed == ["TextReader", "ObjectDetector", "TransformWorker"]
    assert wrong == []
    assert count > CLIENTS
    # Who sent a lost call again, Serve (its acceptance was not known yet) or our queue, depends on the moment.
    server.wait_until_at_rest()


async def test_a_request_over_its_deadline_is_told_so_and_leaves_no_work(server, photographs):
    heavy = json.dumps(body(photographs[6])).encode()

    async def ask(session: httpx.AsyncClient) -> httpx.Response:
        headers = JSON | {"x-request-timeout-seconds": "0.08"}
        return await session.post(f"{server.url}/workflows/run", content=heavy, headers=headers)

    async with httpx.AsyncClient(timeout=60) as session:
        answers = await asyncio.gather(*(ask(session) for _ in range(24)))
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) >= 12
        for answer in refused:
            assert answer.status_code in (408, 503, 504), answer.text
            if answer.status_code == 503:  # it would have come too late: said before any work
                assert int(answer.headers["Retry-After"]) >= 1
            else:
                assert "time" in answer.json()["message"]
        server.wait_until_at_rest()
        after = await session.post(f"{server.url}/workflows/run", content=heavy, headers=JSON)
        assert after.status_code == 200


def test_a_client_that_hangs_up_frees_its_slot(server, photographs):
    def cancelled() -> float:
        return sum(server.coalescing("cancelled", name) for name in ("object_detector", "text_reader", "transforms"))

    before = cancelled()
    content = json.dumps(body(photographs[6])).encode()
    head = (
        "POST /workflows/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    connections = []
    for _ in range(16):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(head.encode() + content)
        connections.append(connection)
    deadline_s = time.monotonic() + 10
    while not server.busy() and time.monotonic() < deadline_s:
        time.sleep(0.005)
    for connection in connections:
        connection.close()
    server.wait_until_at_rest(within_s=5)
    assert cancelled() > before
    assert server.metrics()["http_requests_in_flight"] == 1  # the one that asks


def test_a_picture_of_many_megabytes_reaches_every_step(server):
    noise = np.random.default_rng(3).integers(0, 256, (1500, 1800, 3), dtype=np.uint8)
    encoded, png = cv2.imencode(".png", noise)
    assert encoded
    assert len(png) > 5 * 1024 * 1024
    answer = httpx.post(f"{server.url}/workflows/run", json=body(png.tobytes()), timeout=60)
    assert answer.status_code == 200, answer.text


COUNTED = ("calls", "items", "sent_bytes", "decodes", "encodes")


def counted(server, deployment: str) -> dict[str, float]:
    return {counter: server.coalescing(counter, deployment) for counter in COUNTED}


@pytest.mark.parametrize("shown", [False, True])
def test_a_request_takes_three_hops_and_each_process_decodes_its_photograph_once(server, shown):
    jpeg = SAMPLE_PATH.read_bytes()  # one plate
    deployments = ("object_detector", "transforms", "text_reader")
    before = {deployment: counted(server, deployment) for deployment in deployments}
    sent = body(jpeg, TUTORIAL, excluded_fields=["image"] if shown else ["image", "crops"])
    answer = httpx.post(f"{server.url}/workflows/run", json=sent, timeout=60)
    assert answer.status_code == 200, answer.text
    spent = {
        deployment: {name: value - before[deployment][name] for name, value in counted(server, deployment).items()}
        for deployment in deployments
    }
    photograph_once = {"calls": 1, "items": 1, "sent_bytes": len(jpeg), "decodes": 1}
    assert spent["object_detector"] == photograph_once | {"encodes": 0}
    assert spent["transforms"] == photograph_once | {"encodes": int(shown)}  # nobody encodes what no answer shows
    crop = spent["text_reader"]
    assert (crop["calls"], crop["items"], crop["decodes"], crop["encodes"]) == (1, 1, 0, 0)
    assert 0 < crop["sent_bytes"] < len(jpeg) * 2
