"""NVIDIA's unmodified client calls a server of ours in one process, over HTTP and over gRPC."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
import uvicorn
from numpy.testing import assert_array_equal

from deployments.dataplane.local_backend import LocalBackend
from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.kserve.grpc_door import GrpcDoor
from deployments.kserve.grpc_service import add_to_server
from deployments.settings import IngressSettings
from tests.cluster.server import free_port
from tests.triton.client import Said, ask
from tests.triton.server import is_installed
from tests.unit.deployments.models.builders import write_constant_detector, write_package, yolov8_output

pytestmark = pytest.mark.triton

BOX = [32.0, 32.0, 16.0, 8.0, 0.9]


class Door(GrpcDoor):
    """The door alone, without a Serve deployment behind it."""

    def __init__(self, service: WorkflowService) -> None:
        self._service = service


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    http: int
    grpc: int


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """Of a server with one detector, `plates/1`."""
    if not is_installed():
        pytest.skip("Triton's client is not installed: `make test-triton` installs it into .venv-triton")
    folder = write_package(tmp_path_factory.mktemp("own") / "plates" / "1")
    write_constant_detector(folder / "weights.onnx", yolov8_output([BOX]))
    backend = LocalBackend.over_directory(folder.parents[1])
    service = WorkflowService(backend, IngressSettings())
    port = free_port(1)
    chosen = Ports(http=port, grpc=port + 1)
    http = uvicorn.Server(uvicorn.Config(create_app(lambda: service), port=chosen.http, log_level="warning"))
    stopped = asyncio.Event()
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = grpc.aio.server()
        add_to_server(Door(service), server)
        server.add_insecure_port(f"127.0.0.1:{chosen.grpc}")
        await server.start()
        serving = asyncio.create_task(http.serve())
        while not http.started:  # noqa: ASYNC110 - it has no event for it
            await asyncio.sleep(0.01)
        started.set()
        await stopped.wait()
        http.should_exit = True
        await serving
        await server.stop(None)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(30)
    yield chosen
    loop.call_soon_threadsafe(stopped.set)
    thread.join()
    backend.close()


@pytest.fixture(scope="module")
def said(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Said]:
    feeds = {"images": np.zeros((3, 3, 64, 64), dtype=np.float32)}
    return ask(ports.http, ports.grpc, "plates", "1", feeds, tmp_path_factory.mktemp("tensors"))


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_the_network_answers_every_row(said: dict[str, Said], way: str) -> None:
    output = said[way].outputs["output0"]
    assert output.shape == (3, 5, 12)
    assert_array_equal(output[:, :, 0], np.array([BOX] * 3, dtype=np.float32))
    assert_array_equal(said[way].values["first_output"], output)
    assert said[way].values["id"] == "7"


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_the_model_is_described(said: dict[str, Said], way: str) -> None:
    values = said[way].values
    (image,) = values["metadata"]["inputs"]
    assert (image["name"], image["datatype"], [int(length) for length in image["shape"]]) == (
        "images",
        "FP32",
        [-1, 3, 64, 64],
    )
    config = values["config"] if way == "http" else values["config"]["config"]
    assert config["max_batch_size"] == 64
    assert [int(length) for length in config["input"][0]["dims"]] == [3, 64, 64]


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_the_server_and_the_model_are_ready(said: dict[str, Said], way: str) -> None:
    values = said[way].values
    assert (values["live"], values["model_ready"], values["server"]) == (True, True, "sightline")
    listed = values["index"] if way == "http" else values["index"]["models"]
    assert [(model["name"], model["version"], model["state"]) for model in listed] == [("plates", "1", "READY")]


@pytest.mark.parametrize(
    ("way", "call", "status", "message"),
    [
        ("http", "unknown_model", "404", "there is no model 'nope'"),
        ("grpc", "unknown_model", "StatusCode.NOT_FOUND", "there is no model 'nope'"),
        ("http", "wrong_shape", "400", "the network takes 'images' float32 [any, 3, 64, 64]"),
        ("grpc", "wrong_shape", "StatusCode.INVALID_ARGUMENT", "the network takes 'images' float32 [any, 3, 64, 64]"),
        ("http", "texts", "400", "datatype 'BYTES'"),
        ("grpc", "texts", "StatusCode.INVALID_ARGUMENT", "datatype 'BYTES'"),
    ],
)
def test_errors_say_what_would_be_right(said: dict[str, Said], way: str, call: str, status: str, message: str) -> None:
    given_status, given_message = said[way].values[call]
    assert given_status == status
    assert message in given_message
