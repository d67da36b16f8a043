"""Ray's GCS killed while requests come: with its state kept, nobody notices and the cluster goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from deployments.cli.ports import is_free
from deployments.dataplane.sample import sample_request
from deployments.kubernetes.redis import DURABLE
from tests.cluster.server import Server, free_port

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PASSWORD = "a password of the test"
BACK_WITHIN_S = 120


@contextmanager
def redis(folder) -> Iterator[str]:
    """A real Redis, from the Debian package."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: `apt-get install redis-server`, as .ci/run does")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--requirepass", PASSWORD]
    process = subprocess.Popen([program, *options, *DURABLE], stdout=subprocess.DEVNULL)
    try:
        _wait(lambda: not is_free(port), "Redis listens")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def storage(backend: str, folder) -> Iterator[str]:
    if backend == "redis":
        with redis(folder) as url:
            yield url
    else:
        yield backend


@pytest.fixture(scope="module", params=["rocksdb", "redis"])
def server(request, tmp_path_factory):
    """A cluster whose GCS keeps its state."""
    with storage(request.param, tmp_path_factory.mktemp("gcs")) as text:
        started = Server("--gcs", text, environment={"REDIS_PASSWORD": PASSWORD})
        try:
            started.wait_for("for Prometheus")
            yield started
        finally:
            started.stop()


class Load:
    """Requests one after another, from a few threads, until told to stop."""

    def __init__(self, url: str, threads: int = 2) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def _ask(self) -> None:
        asked = sample_request()
        with httpx.Client(base_url=self._url, timeout=60) as http:
            while not self._stop.is_set():
                try:
                    answer = http.post("/workflows/run", json=asked)
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                    continue
                if answer.status_code != 200:
                    self.failed.append(f"{answer.status_code}: {answer.text}")
                self.answered += 1

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


def _gcs_pid(server: Server) -> int | None:
    found = [pid for pid, command in server.descendants().items() if "/gcs_server" in command.split(" ")[0]]
    return found[0] if found else None


def _wait(what, said: str, within_s: float = BACK_WITHIN_S) -> float:
    """Seconds until it is so."""
    began_s = time.monotonic()
    while not what():
        assert time.monotonic() - began_s < within_s, f"{said}: not within {within_s:g} s"
        time.sleep(0.1)
    return time.monotonic() - began_s


def test_no_request_fails_while_the_gcs_is_killed_and_the_cluster_heals_afterwards(server):
    killed = _gcs_pid(server)
    replicas = {name: server.replica_pids(name) for name in ("WorkflowRouter", "ObjectDetector", "TextReader")}
    with Load(server.url) as load:
        _wait(lambda: load.answered > 5, "requests are answered")
        os.kill(killed, signal.SIGKILL)
        back_s = _wait(lambda: _gcs_pid(server) not in (None, killed), "the GCS is back")
        answered = load.answered
        _wait(lambda: load.answered > answered + 20, "requests are answered afterwards")
    assert load.failed == []
    # The applications went on with the replicas that they had.
    assert {name: server.replica_pids(name) for name in replicas} == replicas
    # Serve's controller lives, and Ray starts what it asks for: both need a GCS that knows them.
    (lost,) = replicas["TextReader"]
    os.kill(lost, signal.SIGKILL)
    healed_s = _wait(lambda: server.replica_pids("TextReader") not in ([], [lost]), "a replica is replaced")
    _wait(lambda: httpx.get(f"{server.url}/readiness", timeout=30).status_code == 200, "it is ready")
    assert httpx.post(f"{server.url}/workflows/run", json=sample_request(), timeout=60).status_code == 200
    print(f"{load.answered} requests, 0 failed; GCS back after {back_s:.1f} s, replica replaced after {healed_s:.1f} s")


def test_an_endpoint_is_made_after_the_gcs_came_back(server):
    """The control plane asks the GCS anew, and the new application is a whole one."""
    name = "after1"
    made = {"api_key": "any", "deployment_name": name, "machine_type": "dev-cpu", "creator_email": "me@example.com"}
    with httpx.Client(base_url=server.url, timeout=60) as http:
        assert http.post("/add", json=made).status_code == 200
        _wait(
            lambda: http.get("/get", params={"api_key": "any", "deployment_name": name}).json()["status"] == "ready",
            "the endpoint is ready",
            within_s=180,
        )
        answer = http.post("/workflows/run", json=sample_request(), headers={"host": f"{name}.localhost"})
        assert answer.status_code == 200
