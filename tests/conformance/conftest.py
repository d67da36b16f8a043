"""A server of our own in this process, with the models that the recorded jobs name."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from deployments.ingress.single_process import create_local_app
from deployments.settings import IngressSettings
from tests.conformance.served import write_models, write_workflows

START_TIMEOUT_S = 60


@pytest.fixture(scope="session")
def served_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running server: the one that `SIGHTLINE_TEST_URL` names, else one in this process."""
    if given := os.environ.get("SIGHTLINE_TEST_URL"):
        yield given.rstrip("/")
        return
    root = tmp_path_factory.mktemp("served")
    write_models(root / "models")
    write_workflows(root / "workflows")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = IngressSettings(workflows_dir=root / "workflows", log_requests=False)
    app = create_local_app(root / "models", settings)
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
