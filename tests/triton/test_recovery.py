"""Triton is killed, paused and started again while a server of ours asks it."""

from __future__ import annotations

import asyncio
import base64
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from deployments.ingress.single_process import create_local_app
from deployments.settings import IngressSettings
from tests.triton.conftest import shared_memory, write_triton_package
from tests.triton.server import TritonServer

pytestmark = pytest.mark.triton

PATIENCE_S = 30.0


@asynccontextmanager
async def sightline(models_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of our server, which serves the packages of a directory in this process."""
    app = create_local_app(models_dir, IngressSettings(), warm=False)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://plates.test") as client:
            yield client


async def ask(client: httpx.AsyncClient, timeout_s: float = 20) -> httpx.Response:
    picture = base64.b64encode(cv2.imencode(".png", np.zeros((64, 64, 3), dtype=np.uint8))[1].tobytes()).decode()
    body = {"model_id": "plates/1", "image": {"type": "base64", "value": picture}}
    headers = {"x-request-timeout-seconds": str(timeout_s)}
    return await client.post("/infer/object_detection", json=body, headers=headers)


async def until(client: httpx.AsyncClient, status: int) -> httpx.Response:
    deadline_s = time.monotonic() + PATIENCE_S
    while (answer := await ask(client)).status_code != status:
        assert time.monotonic() < deadline_s, answer.text
        await asyncio.sleep(0.1)
    return answer


@pytest.mark.parametrize("memory", ["auto", "off"])
async def test_requests_fail_clearly_while_triton_is_away_and_work_again_when_it_is_back(
    tmp_path: Path, mortal_triton: TritonServer, shared_before: set[str], memory: str
) -> None:
    write_triton_package(tmp_path / "own" / "plates" / "1", mortal_triton.url, shared_memory=memory)
    mortal_triton.start()
    async with sightline(tmp_path / "own") as client:
        assert (await ask(client)).json()["predictions"][0]["x"] == 32

        statuses: list[int] = []
        going_on = True

        async def keep_asking() -> None:
            while going_on:
                statuses.append((await ask(client)).status_code)
                await asyncio.sleep(0.01)

        asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
        await asyncio.sleep(0.3)
        mortal_triton.kill()
        away = await until(client, 503)
        assert f"model 'plates' on Triton at 127.0.0.1:{mortal_triton.grpc_port}" in away.json()["message"]
        assert away.headers["Retry-After"] == "1"
        await asyncio.to_thread(mortal_triton.start)
        back = await until(client, 200)
        going_on = False
        await asyncio.gather(*asking)
    assert back.json()["predictions"][0]["x"] == 32
    assert set(statuses) == {200, 503}
    gc.collect()  # errors that were answered hold on to the engine that raised them
    assert shared_memory() == shared_before


async def test_a_model_whose_triton_comes_later_is_served_then(tmp_path: Path, mortal_triton: TritonServer) -> None:
    write_triton_package(tmp_path / "own" / "plates" / "1", mortal_triton.url)
    async with sightline(tmp_path / "own") as client:
        answer = await ask(client)
        assert answer.status_code == 503
        assert "start that server with that model" in answer.json()["message"]
        await asyncio.to_thread(mortal_triton.start)
        assert (await until(client, 200)).json()["predictions"][0]["width"] == 16


async def test_a_triton_that_hangs_costs_a_request_its_own_time_and_no_more(
    tmp_path: Path, mortal_triton: TritonServer
) -> None:
    write_triton_package(tmp_path / "own" / "plates" / "1", mortal_triton.url)
    mortal_triton.start()
    async with sightline(tmp_path / "own") as client:
        assert (await ask(client)).status_code == 200
        mortal_triton.pause()
        assert (await ask(client, timeout_s=1)).status_code == 504
        mortal_triton.resume()
        assert (await until(client, 200)).status_code == 200
