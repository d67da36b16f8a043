"""A model on Triton, served by a real cluster while Triton comes and goes."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.cluster.server import Server
from tests.triton.conftest import write_triton_package
from tests.triton.server import TritonServer, add_model, is_installed
from tests.unit.deployments.models.builders import write_constant_detector, yolov8_output

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not is_installed(), reason="`make test-triton` installs Triton into .venv-triton"),
]

PATIENCE_S = 60.0


def detect(server: Server) -> httpx.Response:
    picture = base64.b64encode(cv2.imencode(".png", np.zeros((64, 64, 3), dtype=np.uint8))[1].tobytes()).decode()
    body = {"model_id": "plates/1", "image": {"type": "base64", "value": picture}}
    return httpx.post(f"{server.url}/infer/object_detection", json=body, timeout=70)


def until(server: Server, status: int) -> httpx.Response:
    deadline_s = time.monotonic() + PATIENCE_S
    while (answer := detect(server)).status_code != status:
        assert time.monotonic() < deadline_s, answer.text
        time.sleep(0.1)
    return answer


def test_replicas_say_that_triton_is_away_and_find_it_again(tmp_path: Path) -> None:
    weights = write_constant_detector(tmp_path / "plates.onnx", yolov8_output([(32, 32, 16, 8, 0.9)]))
    add_model(tmp_path / "models", "plates", weights)
    triton = TritonServer(tmp_path / "models", tmp_path)
    write_triton_package(tmp_path / "own" / "plates" / "1", triton.url)
    server = Server("--models", str(tmp_path / "own"), port=triton.http_port + 1)
    try:
        server.wait_for("ready http")
        away = detect(server)
        assert away.status_code == 503, away.text
        assert away.headers["Retry-After"] == "1"
        assert f"model 'plates' on Triton at 127.0.0.1:{triton.grpc_port}" in away.json()["message"]
        triton.start()
        assert until(server, 200).json()["predictions"][0]["x"] == 32
        triton.kill()
        assert until(server, 503).headers["Retry-After"] == "1"
        triton.start()
        assert until(server, 200).json()["predictions"][0]["x"] == 32
        server.wait_until_at_rest()
    finally:
        server.stop()
        triton.stop()
