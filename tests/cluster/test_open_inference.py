"""NVIDIA's unmodified client calls a real cluster, through the edge and Serve's own ingress."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import onnxruntime as ort
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from tests.cluster.server import Server, free_port
from tests.triton.client import ask
from tests.triton.server import is_installed

pytestmark = pytest.mark.cluster

PROJECT, VERSION = "vehicle-registration-plates-trudk", "2"
NOISE = np.random.default_rng(5).random((1, 3, 320, 320), dtype=np.float32)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A cluster with a door for gRPC, two ports above its own."""
    port = free_port(2)
    server = Server("--grpc-port", str(port + 2), port=port)
    try:
        server.wait_for("ready http")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """What ONNX Runtime itself makes of the noise."""
    weights = discover_packages(SHIPPED_DIRECTORY)[f"{PROJECT}/{VERSION}"].weights_path
    session = ort.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: NOISE})[0]


def noise() -> InferInput:
    tensor = InferInput("images", list(NOISE.shape), "FP32")
    tensor.set_data_from_numpy(NOISE)
    return tensor


@pytest.mark.skipif(not is_installed(), reason="`make test-triton` installs Triton's client into .venv-triton")
def test_both_doors_answer_what_the_runtime_itself_does(server: Server, expected: np.ndarray, tmp_path: Path) -> None:
    said = ask(server.port, server.port + 2, PROJECT, VERSION, {"images": NOISE}, tmp_path)
    for way in ("http", "grpc"):
        assert_allclose(said[way].outputs["output0"], expected, rtol=1e-4, atol=1e-4)
        assert said[way].values["ready"]
    assert said["grpc"].values["unknown_model"][0] == "StatusCode.NOT_FOUND"
    assert_array_equal(said["http"].outputs["output0"], said["grpc"].outputs["output0"])


async def test_requests_that_come_together_are_answered_as_one_alone(server: Server, expected: np.ndarray) -> None:
    async with InferenceServerClient(f"127.0.0.1:{server.port + 2}") as client:
        answers = await asyncio.gather(*(client.infer(PROJECT, [noise()], VERSION) for _ in range(16)))
    for answer in answers:
        assert_allclose(answer.as_numpy("output0"), expected, rtol=1e-4, atol=1e-4)
    server.wait_until_at_rest()


async def test_a_client_whose_time_is_over_leaves_nothing_behind(server: Server) -> None:
    async with InferenceServerClient(f"127.0.0.1:{server.port + 2}") as client:
        calls = [client.infer(PROJECT, [noise()], VERSION, client_timeout=0.05) for _ in range(32)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        late = [outcome for outcome in outcomes if isinstance(outcome, InferenceServerException)]
        assert {error.status() for error in late} == {"StatusCode.DEADLINE_EXCEEDED"}
        server.wait_until_at_rest()
        assert (await client.infer(PROJECT, [noise()], VERSION)).as_numpy("output0") is not None


async def test_a_name_that_no_endpoint_has_is_not_found(server: Server) -> None:
    options = [("grpc.default_authority", "nobody.localhost")]
    async with InferenceServerClient(f"127.0.0.1:{server.port + 2}", channel_args=options) as client:
        with pytest.raises(InferenceServerException, match="no endpoint has this name") as caught:
            await client.is_server_live()
    assert caught.value.status() == str(grpc.StatusCode.NOT_FOUND)


async def test_an_endpoint_is_reached_by_its_name(server: Server) -> None:
    options = [("grpc.default_authority", f"plates.localhost:{server.port + 2}")]
    async with InferenceServerClient(f"127.0.0.1:{server.port + 2}", channel_args=options) as client:
        assert await client.is_server_live()
