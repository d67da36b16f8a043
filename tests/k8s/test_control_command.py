"""`sightline control` as it is started, and a newcomer's first minutes with it, up to the objects that are created."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from deployments.cli.main import app
from tests.cluster.server import free_port
from tests.k8s.fake_cluster.api_server import ApiServer
from tests.k8s.fake_cluster.kubeconfig import write_kubeconfig
from tests.k8s.fake_cluster.operator import Operator
from tests.k8s.house import VALUES

WITHIN_S = 90.0


class Newcomer:
    """Types commands."""

    def __init__(self, url: str, database: str) -> None:
        self.url = url
        self.database = database
        self.key = ""

    def type(self, *words: str, status: int = 0) -> str:
        environment = {"SIGHTLINE_URL": self.url, "SIGHTLINE_API_KEY": self.key}
        done = CliRunner().invoke(app, list(words), env=environment)
        assert done.exit_code == status, done.output
        return done.stdout

    def endpoint(self, *words: str, status: int = 0) -> str:
        return self.type("endpoint", *words, status=status)

    def to(self, host: str) -> httpx.Response:
        """What the control plane says to requests that its routes lead to it."""
        return httpx.get(f"{self.url}/info", headers={"host": host})


@pytest.fixture
def server():
    with ApiServer() as started:
        operator = Operator(started)
        stopping = threading.Event()

        def work() -> None:
            while not stopping.wait(0.1):
                operator.step()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        yield started
        stopping.set()
        worker.join()


@pytest.fixture
def newcomer(server, tmp_path):
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(VALUES.model_dump(mode="json", exclude_unset=True)))
    write_kubeconfig(tmp_path / "kubeconfig", server)
    database, port = f"sqlite:///{tmp_path}/e.db", free_port()
    command = [sys.executable, "-m", "deployments.cli.main", "control", "--values", str(tmp_path / "values.yaml")]
    process = subprocess.Popen(
        [*command, "--keys", "on", "--port", str(port), "--database", database],
        env={**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")},
    )
    url = f"http://127.0.0.1:{port}"
    deadline_s = time.monotonic() + WITHIN_S
    while True:
        try:
            assert httpx.get(f"{url}/-/alive").text == "alive"
            break
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
    yield Newcomer(url, database)
    process.terminate()
    assert process.wait(20) in (0, -signal.SIGTERM)


def test_a_newcomers_first_minutes(server, newcomer):
    newcomer.key = newcomer.type(
        "keys", "create", "--workspace", "acme", "--scope", "admin", "--database", newcomer.database
    ).strip()
    newcomer.endpoint("create", "plates", "-m", "prod-cpu", "--wait")
    newcomer.endpoint("create", "gates", "-m", "prod-cpu", "--text-reader", "pp_ocr/default", "--wait")
    services = {item["metadata"]["labels"]["sightline/subdomain"]: item for item in server.store.all("rayservices")[0]}
    assert set(services) == {"plates", "gates"}
    args = yaml.safe_load(services["gates"]["spec"]["serveConfigV2"])["applications"][0]["args"]
    assert args["text_reader_model"] == "pp_ocr/default"
    routes = {item["spec"]["hostnames"][0]: item for item in server.store.all("httproutes")[0]}
    for name, service in services.items():
        (backend,) = routes[f"{name}.example.com"]["spec"]["rules"][0]["backendRefs"]
        assert backend == {"name": f"{service['metadata']['name']}-serve-svc", "port": 8000}
    newcomer.endpoint("pause", "plates", "--wait")
    answer = newcomer.to("plates.example.com")
    assert (answer.status_code, answer.json()["status"], answer.headers["retry-after"]) == (503, "paused", "60")
    assert newcomer.to("nobody.example.com").status_code == 404
    newcomer.endpoint("resume", "plates", "--wait")
    assert json.loads(newcomer.endpoint("usage", "plates", "--json"))["deployments"][0]["seconds"] > 0
    assert "ready" in newcomer.endpoint("logs", "plates")
    newcomer.endpoint("delete", "plates", "--wait")
    newcomer.endpoint("delete", "gates", "--wait")
    deadline_s = time.monotonic() + WITHIN_S
    while server.store.objects:
        assert time.monotonic() < deadline_s, set(server.store.objects)
        time.sleep(0.05)
    newcomer.type("keys", "revoke", newcomer.key, "--database", newcomer.database)
    deadline_s = time.monotonic() + 5
    while httpx.get(f"{newcomer.url}/list", params={"api_key": newcomer.key}).status_code != 401:
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    assert server.refusals == []


def test_it_answers_others_only_who_have_keys(tmp_path):
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(VALUES.model_dump(mode="json", exclude_unset=True)))
    words = ["control", "--values", str(tmp_path / "values.yaml"), "--host", "0.0.0.0"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "--keys on" in done.output


def test_without_a_cluster_it_says_so(tmp_path):
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(VALUES.model_dump(mode="json", exclude_unset=True)))
    words = ["control", "--values", str(tmp_path / "values.yaml"), "--database", f"sqlite:///{tmp_path}/e.db"]
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli.main", *words],
        env={**os.environ, "KUBECONFIG": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "no kubeconfig" in done.stderr
