"""The control plane's own process, killed again and again in the middle of what it does, finishes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
import yaml

from tests.cluster.server import free_port
from tests.k8s.fake_cluster.api_server import ApiServer
from tests.k8s.fake_cluster.kubeconfig import write_kubeconfig
from tests.k8s.fake_cluster.operator import Operator
from tests.k8s.house import VALUES

KILLS = 20
STEP_EVERY_S = 0.15
WITHIN_S = 60.0


class Control:
    """Starts and kills one."""

    def __init__(self, server: ApiServer, path) -> None:
        (path / "values.yaml").write_text(yaml.safe_dump(VALUES.model_dump(mode="json", exclude_unset=True)))
        write_kubeconfig(path / "kubeconfig", server)
        self.port = free_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.log = (path / "log").open("w")
        arguments = [str(path / "values.yaml"), f"sqlite:///{path}/e.db", str(self.port)]
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.k8s.killed_control", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, "KUBECONFIG": str(path / "kubeconfig")},
        )
        self.pid = 0

    def start(self) -> None:
        assert self.mother.stdin
        assert self.mother.stdout
        self.mother.stdin.write("\n")
        self.mother.stdin.flush()
        self.pid = int(self.mother.stdout.readline())

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        while os.path.exists(f"/proc/{self.pid}"):
            time.sleep(0.005)

    def tell(self, call: str, **more) -> None:
        """Asked again until it answers: it may not have begun yet."""
        deadline_s = time.monotonic() + WITHIN_S
        while self.status() == "away":
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        answer = self.http.post(f"/{call}", json={"api_key": "any", "deployment_name": "plates", **more})
        assert answer.status_code == 200, answer.text

    def status(self) -> str:
        try:
            answer = self.http.get("/get", params={"api_key": "any", "deployment_name": "plates"})
        except httpx.TransportError:
            return "away"
        return answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)

    def becomes(self, status: str) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while (now := self.status()) != status:
            assert time.monotonic() < deadline_s, now
            time.sleep(0.05)

    def stop(self) -> None:
        self.kill()
        self.mother.stdin.close()
        self.mother.wait(10)
        self.log.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with ApiServer() as server:
        operator = Operator(server)
        stopping = threading.Event()

        def work() -> None:
            while not stopping.wait(STEP_EVERY_S):
                operator.step()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        control = Control(server, tmp_path_factory.mktemp("control"))
        control.start()
        yield server, control
        control.stop()
        stopping.set()
        worker.join()


JOURNEY = (
    ("add", {"machine_type": "prod-cpu"}, "ready"),
    ("pause", {}, "paused"),
    ("resume", {}, "ready"),
    ("delete", {}, "404"),
)


def test_killed_twenty_times_in_each_step_of_a_life_it_finishes_each(house):
    for call, more, status in JOURNEY:
        killed_in(house, call, more, status)


def killed_in(house, call, more, status):
    """Each time somewhere else: sooner than it has begun, and later than it is done."""
    server, control = house
    dice = random.Random(call)
    control.tell(call, **more)
    for _ in range(KILLS):
        control.kill()
        control.start()
        time.sleep(dice.uniform(0.02, 0.7))
    control.becomes(status)
    left = {plural for plural, _ in server.store.objects}
    if call == "delete":
        deadline_s = time.monotonic() + WITHIN_S
        while server.store.objects:
            assert time.monotonic() < deadline_s, left
            time.sleep(0.05)
        return
    (service,) = server.store.all("rayservices")[0]
    assert service["spec"]["suspend"] is (call == "pause")
    (route,) = server.store.all("httproutes")[0]
    (backend,) = route["spec"]["rules"][0]["backendRefs"]
    name = service["metadata"]["name"]
    assert backend["name"] == ("sightline-control" if call == "pause" else f"{name}-serve-svc")
    for plural in ("networkpolicies", "poddisruptionbudgets"):
        (guard,) = server.store.all(plural)[0]
        assert guard["metadata"]["ownerReferences"][0]["uid"] == service["metadata"]["uid"]
    assert server.refusals == []
