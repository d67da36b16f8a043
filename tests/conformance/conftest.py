"""A server of our own in this process, with the models that the recorded jobs name."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from deployments.ingress.single_process import create_local_app
from deployments.settings import IngressSettings
from tests.conformance.detector_packages import write_detector_package

START_TIMEOUT_S = 60
SDK_RECORDINGS = Path(__file__).parent / "sdk-1.8.3"


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of the detectors that the reference had."""
    root = tmp_path_factory.mktemp("models")
    write_detector_package(root / "plates-lite", "plates-lite/1", 640)
    write_detector_package(root / "plates-320", "plates-320/1", 320)
    write_detector_package(root / "plates-stretch", "plates-stretch/1", 640, resize_mode="stretch")
    write_detector_package(root / "tutorial", "vehicle-registration-plates-trudk/2", 640)  # replaces the shipped one
    return root


@pytest.fixture(scope="session")
def workflows_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The definitions that were saved at the reference."""
    root = tmp_path_factory.mktemp("workflows") / "local-ws"
    root.mkdir()
    for name, recording in (
        ("detection", "infer_from_workflow_detection"),
        ("seed-plates", "infer_from_workflow_seed"),
    ):
        recorded = json.loads((SDK_RECORDINGS / f"{recording}.json").read_text())
        specification = recorded["exchanges"][0]["request"]["body"]["specification"]
        (root / f"{name}.json").write_text(json.dumps(specification))
    return root.parent


@pytest.fixture(scope="session")
def served_url(models_dir: Path, workflows_dir: Path) -> Iterator[str]:
    """Address of a running server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_local_app(models_dir, IngressSettings(workflows_dir=workflows_dir, log_requests=False))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    _wait_until_ready(url)
    yield url
    server.should_exit = True
    thread.join(timeout=20)


def _wait_until_ready(url: str) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/readiness").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"the server was not ready within {START_TIMEOUT_S} s")
