"""More models than a replica holds, and models with replicas of their own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from tests.cluster.photographs import image_input
from tests.cluster.server import ROOT, Server
from tests.conformance.detector_packages import write_detector_package
from workflows.values.image_codec import encode_jpeg

pytestmark = pytest.mark.cluster

FAKE_GPUS = {"RAY_OVERRIDE_RESOURCES": json.dumps({"CPU": 4, "GPU": 4})}
SLOTS = 4
ALONE, PINNED, WARM, ADDED = "cars/alone", "cars/pinned", "cars/warm", "signs/1"
MANY = [f"cars/{number}" for number in range(12)]
FIRST_REQUESTS = 100
READY_WITHIN_S = 400.0


class Address:
    """A web server with an archive of all the models, that writes down what is fetched."""

    def __init__(self, directory: Path) -> None:
        self.fetched: list[str] = []
        fetched = self.fetched

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(directory))

            def do_GET(self) -> None:
                fetched.append(self.path)
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/models.zip"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module", params=["socket", "handle"])
def way(request: pytest.FixtureRequest) -> str:
    """How calls go to replicas: as on one machine, or as to other machines."""
    return str(request.param)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, way: str) -> Iterator[Address]:
    models, served = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("served")
    for model_id in (ALONE, PINNED, WARM, *MANY):
        write_detector_package(models / model_id, model_id, 320)
    shutil.make_archive(str(served / "models"), "zip", models)
    started = Address(served)
    yield started
    started.server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, address: Address, way: str) -> Iterator[Server]:
    """A cluster of two shared replicas with four slots for models each, a model on a GPU of its own, and many more."""
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    config["applications"][0]["args"] = {
        "models_dir": address.url,
        "store_dir": str(tmp_path_factory.mktemp("store")),
        "models": {
            ALONE: {"replicas": 1, "num_gpus": 0.5, "max_batch_items": 2, "engine": {"device": "cpu"}},
            PINNED: {"pinned": True},
        },
    }
    for deployment in config["applications"][0]["deployments"]:
        if deployment["name"] == "WorkflowRouter":
            deployment["user_config"]["direct_calls"] = way == "socket"
        if deployment["name"] == "ObjectDetector":
            deployment.pop("autoscaling_config")
            deployment["num_replicas"] = 2
            deployment["user_config"]["max_loaded_models"] = SLOTS
    path = tmp_path_factory.mktemp("config") / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config))
    environment = FAKE_GPUS | {"XDG_DATA_HOME": str(tmp_path_factory.mktemp("data"))}
    exported = tmp_path_factory.mktemp("exported")
    write_detector_package(exported / "best", ADDED, 320)
    for name in ("model_config.json", "inference_config.json"):
        (exported / "best" / name).unlink()
    subprocess.run(
        [sys.executable, "-m", "deployments.cli.main", "models", "add", exported / "best", "--id", ADDED],
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    started = Server("--config", str(path), environment=environment)
    try:
        started.wait_for("ready http", READY_WITHIN_S)
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def picture() -> dict[str, str]:
    """One magenta sign, which the detectors here take for a plate."""
    bgr = np.full((320, 320, 3), 90, np.uint8)
    bgr[140:164, 120:184] = (255, 0, 255)
    return image_input(encode_jpeg(bgr))


def loads(server: Server) -> dict[str, Counter[str]]:
    """How often each replica of an ObjectDetector has loaded each model, by name of its log."""
    return {
        log.name: Counter(re.findall(r"model ready model_id=(\S+)", log.read_text()))
        for log in server.log_dir.glob("object-detector-*.log")
    }


def total(counts: dict[str, Counter[str]], model_id: str) -> int:
    return sum(of_replica[model_id] for of_replica in counts.values())


async def ask(client: httpx.AsyncClient, model_id: str, picture: dict[str, str]) -> Any:
    answer = await client.post("/infer/object_detection", json={"model_id": model_id, "image": picture})
    assert answer.status_code == 200, answer.text
    return [(box["class"], box["x"], box["y"]) for box in answer.json()["predictions"]]


def client_of(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=120, limits=httpx.Limits(max_connections=200))


def test_a_model_with_a_gpu_of_its_own_has_a_replica_of_its_own(server, picture):
    counts = loads(server)
    (own,) = [name for name, models in counts.items() if models[ALONE]]
    assert set(counts[own]) == {ALONE}
    assert len(counts) == 3
    assert re.search(r"gpu_ids=[0-3]\b", (server.log_dir / own).read_text())
    before = server.coalescing("items", ALONE)
    asyncio.run(_once(server, ALONE, picture))
    assert server.coalescing("items", ALONE) == before + 1
    assert total(loads(server), ALONE) == 1


def test_a_pinned_model_is_loaded_everywhere_before_the_server_is_ready(server):
    counts = loads(server)
    assert sorted(models[PINNED] for models in counts.values()) == [0, 1, 1]


async def _once(server: Server, model_id: str, picture: dict[str, str]) -> Any:
    async with client_of(server) as client:
        return await ask(client, model_id, picture)


def test_weights_and_class_names_that_were_added_are_served(server, picture):
    assert {name for name, _, _ in asyncio.run(_once(server, ADDED, picture))} == {"license-plate"}


def test_a_hundred_first_requests_load_a_model_once(server, picture):
    async def together() -> list[Any]:
        async with client_of(server) as client:
            return await asyncio.gather(*(ask(client, WARM, picture) for _ in range(FIRST_REQUESTS)))

    answers = asyncio.run(together())
    assert answers == [answers[0]] * FIRST_REQUESTS
    assert answers[0]
    assert max(models[WARM] for models in loads(server).values()) == 1
    server.wait_until_at_rest()


def test_twelve_models_pass_through_four_slots_while_others_are_answered(server, picture):
    """Bursts for twelve models, one after another; requests for the pinned and the lone one never stop."""
    before = loads(server)
    wrong: list[str] = []
    steady: dict[str, list[float]] = {PINNED: [], ALONE: []}

    async def stream(client: httpx.AsyncClient, model_id: str, expected: Any, ended: asyncio.Event) -> None:
        while not ended.is_set():
            began_s = time.perf_counter()
            try:
                if await ask(client, model_id, picture) != expected:
                    wrong.append(f"{model_id} was answered differently")
            except AssertionError as error:
                wrong.append(str(error))
            steady[model_id].append(time.perf_counter() - began_s)

    async def churn() -> None:
        ended = asyncio.Event()
        async with client_of(server) as client:
            expected = {model_id: await ask(client, model_id, picture) for model_id in steady}
            streams = [asyncio.create_task(stream(client, name, expected[name], ended)) for name in steady]
            for model_id in MANY:
                answers = await asyncio.gather(*(ask(client, model_id, picture) for _ in range(20)))
                wrong.extend(f"{model_id} was answered differently" for answer in answers if answer != answers[0])
            ended.set()
            await asyncio.gather(*streams)

    asyncio.run(churn())
    assert not wrong
    assert all(len(times) >= len(MANY) for times in steady.values())
    after = loads(server)
    for model_id in MANY:  # a second replica may have been asked to help; none loads what it has
        assert all(after[name][model_id] - before[name][model_id] <= 1 for name in after)
        assert total(after, model_id) - total(before, model_id) >= 1
    for model_id in (PINNED, ALONE):
        assert total(after, model_id) == total(before, model_id)
    server.wait_until_at_rest()


def test_work_went_to_replicas_that_had_its_model(server):
    """Of hundreds of requests for fifteen models on two replicas, next to none knocked at the wrong door."""
    items = server.coalescing("items", "object_detector")
    assert items > 300
    assert server.coalescing("put_back", "object_detector") <= items * 0.05


def test_no_replica_holds_more_than_its_slots(server):
    listed = {row["model_id"] for row in httpx.get(f"{server.url}/model/registry", timeout=60).json()["models"]}
    shared = listed - {ALONE, "doctr/default"}
    assert {PINNED} <= shared
    assert len(shared - {PINNED, "vehicle-registration-plates-trudk/2"}) <= 2 * (SLOTS - 2)


def test_the_models_were_fetched_once_for_all_processes(server, address):
    """They come from a URL; the command, each replica and the task that builds the application read it."""
    assert len(server.replica_pids("ObjectDetector")) >= 2
    assert address.fetched == ["/models.zip"]


def test_calls_went_the_way_that_the_settings_say(server, way):
    went = {name: value for name, value in server.metrics().items() if name.startswith("replica_calls_total")}
    other = "handle" if way == "socket" else "socket"
    assert went[f'replica_calls_total{{way="{way}"}}'] > 100
    # Serve is asked before it has told which replicas there are, and the warm-up may come before the settings.
    assert went.get(f'replica_calls_total{{way="{other}"}}', 0) < 10
