"""Endpoints on a real cluster, by the control plane's HTTP and by their hosts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from deployments.dataplane.sample import sample_request
from tests.cluster.server import ROOT, Server

pytestmark = pytest.mark.cluster

READY_WITHIN_S = 180
SEEN_WITHIN_S = 60


@pytest.fixture(scope="module")
def house():
    """A cluster of its own: the one that is shared has other tests' load."""
    started = Server()
    try:
        started.wait_for("ready http")
        yield Endpoints(started)
    finally:
        started.stop()


class Endpoints:
    """The vendor's calls, and requests to endpoints by their hosts."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=60)

    def ask(self, call: str, name: str | None = None, **more) -> httpx.Response:
        named = {} if name is None else {"deployment_name": name}
        return self.http.get(f"/{call}", params={"api_key": "any", **named, **more})

    def tell(self, call: str, name: str, **more) -> httpx.Response:
        return self.http.post(f"/{call}", json={"api_key": "any", "deployment_name": name, **more})

    def create(self, name: str, kind: str = "dev-cpu", **more) -> httpx.Response:
        return self.tell("add", name, machine_type=kind, creator_email="me@example.com", **more)

    def status(self, name: str) -> str:
        answer = self.ask("get", name)
        return answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)

    def wait(self, name: str, *statuses: str, within_s: float = READY_WITHIN_S) -> str:
        """Asks until the status is one of these; a control plane that restarts is waited for."""
        deadline_s = time.monotonic() + within_s
        while True:
            status = self.status(name)
            if status in statuses:
                return status
            assert time.monotonic() < deadline_s, f"{name} is {status}, never {statuses}: {self.ask('get', name).text}"
            time.sleep(0.1)

    def to(self, name: str, path: str = "/info") -> httpx.Response:
        return self.http.get(path, headers={"host": f"{name}.localhost"})

    def run(self, name: str) -> httpx.Response:
        return self.http.post("/workflows/run", json=sample_request(), headers={"host": f"{name}.localhost"})

    def used(self, name: str, intervals: int) -> dict[str, Any]:
        """Its usage once it has so many intervals: replicas are seen a round after the endpoint is ready."""
        deadline_s = time.monotonic() + SEEN_WITHIN_S
        while len((used := self.ask("usage_deployment", name).json())["deployments"][0]["intervals"]) != intervals:
            assert time.monotonic() < deadline_s, used
            time.sleep(0.2)
        return used

    def replicas(self, name: str) -> list[int]:
        """Processes of its replicas."""
        return [pid for pid, command in self.server.descendants().items() if f"ServeReplica:{name}." in command]

    def control_pid(self) -> int | None:
        found = [pid for pid, command in self.server.descendants().items() if "deployments.control.process" in command]
        return found[0] if found else None

    def kill_control(self) -> None:
        pid = self.control_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


def test_an_endpoint_from_its_creation_to_its_end(house):
    answer = house.create("plates1")
    assert answer.status_code == 200
    made = answer.json()
    assert (made["status"], made["subdomain"], made["domain"], made["num_replicas"]) == (
        "pending",
        "plates1",
        "localhost",
        0,
    )
    starting = house.to("plates1")
    assert (starting.status_code, starting.json()["status"]) == (503, "pending")
    assert int(starting.headers["retry-after"]) > 0

    house.wait("plates1", "ready")
    assert house.ask("get", "plates1").json()["num_replicas"] == 1
    answer = house.run("plates1")
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["recognised_plates"]

    assert house.tell("pause", "plates1").status_code == 200
    paused = house.run("plates1")
    assert (paused.status_code, paused.json()["status"]) == (503, "paused")
    house.wait("plates1", "paused", within_s=SEEN_WITHIN_S)
    assert house.replicas("plates1") == []

    house.tell("resume", "plates1")
    house.wait("plates1", "ready")
    assert house.run("plates1").status_code == 200

    log = house.ask("get_log", "plates1", max_entries=300).json()
    assert any(" request " in entry["payload"] for entry in log)
    assert any(entry["payload"] == "pending -> ready" for entry in log)
    assert [entry["timestamp"] for entry in log] == sorted((e["timestamp"] for e in log), reverse=True)
    assert len({entry["insert_id"] for entry in log}) == len(log)
    used = house.used("plates1", intervals=2)
    assert used["seconds"] > 0

    house.tell("delete", "plates1")
    assert house.to("plates1").status_code == 404
    assert house.ask("get", "plates1").status_code == 404


def test_what_no_machine_can_hold_fails_with_a_reason(house):
    house.create("gpus1", "prod-gpu")
    house.wait("gpus1", "failed", within_s=SEEN_WITHIN_S)
    assert "GPU" in house.ask("get", "gpus1").json()["status_reason"]
    assert house.to("gpus1").json()["status"] == "failed"
    house.tell("delete", "gpus1")


def test_the_paths_of_endpoints_are_nobodys_to_say(house):
    assert house.http.get("/-/routes").status_code == 404
    assert house.http.get("/@plates1.r00000000/info").status_code == 404


def test_an_unknown_host_is_told_what_its_key_may_see(house):
    house.create("gpus2", "prod-gpu")
    answer = house.http.get("/info", params={"api_key": "any"}, headers={"host": "nobody.localhost"})
    assert answer.status_code == 404
    assert "gpus2.localhost" in answer.json()["endpoints"]
    assert "endpoints" not in house.to("nobody").json()
    house.tell("delete", "gpus2")


def test_our_own_command_says_how_it_went_by_its_exit_status(house):
    def run(*arguments: str, url: str = house.server.url) -> tuple[int, str]:
        command = [sys.executable, "-m", "deployments.cli.main", "endpoint", "--url", url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
        return done.returncode, done.stdout + done.stderr

    status, said = run("create", "gpus3", "-m", "prod-gpu", "--wait")
    assert status == 6
    assert "GPU" in said
    status, said = run("get", "gpus3", "--json")
    assert (status, json.loads(said)["status"]) == (0, "failed")
    assert run("create", "gpus3", "-m", "prod-cpu")[0] == 5
    status, said = run("list")
    assert status == 0
    assert [line.split()[:3] for line in said.splitlines() if "gpus3" in line] == [
        ["gpus3.localhost", "failed", "prod-gpu"]
    ]
    status, said = run("logs", "gpus3")
    assert status == 0
    assert "created on prod-gpu" in said.splitlines()[0]
    assert run("resize", "gpus3", "--min-replicas", "3", "--max-replicas", "2")[0] == 1
    assert json.loads(run("usage", "--json")[1])["workspace_id"] == "default"
    assert "prod-gpu" in run("machine-types")[1]
    assert run("pause", "gpus3", "--wait")[0] == 0
    assert run("delete", "gpus3")[0] == 0
    assert run("get", "gpus3")[0] == 3
    assert run("list", url="http://127.0.0.1:9")[0] == 7
    assert run("no-such-command")[0] == 2


@pytest.mark.parametrize(
    ("act", "starts_as", "ends_as"),
    [
        (lambda h: h.create("quick1"), "absent", ("ready",)),
        (lambda h: h.tell("pause", "quick1"), "ready", ("paused",)),
        (lambda h: h.tell("resume", "quick1"), "paused", ("ready",)),
        (lambda h: h.tell("delete", "quick1"), "ready", ("404",)),
    ],
    ids=["create", "pause", "resume", "delete"],
)
def test_a_control_plane_killed_twenty_times_finishes_what_it_began(house, act, starts_as, ends_as):
    """Twenty kills during one change, spread over it; what served before goes on serving throughout."""
    answer = act(house)
    assert answer.status_code == 200
    for number in range(20):
        time.sleep(0.05 * (number % 5))
        house.kill_control()
        assert house.http.get("/info").status_code == 200
    house.wait("quick1", *ends_as)
    if ends_as == ("ready",):
        assert house.run("quick1").status_code == 200


def test_endpoints_come_and_go_without_a_request_to_another_failing(house):
    """Nothing is asked of the ten; that each is started and removed makes Serve's proxy change its routes each time."""
    house.create("steady1")
    house.wait("steady1", "ready")
    failures, answered = [], 0
    url = f"{house.server.url}/info"
    with httpx.Client(timeout=30) as client:
        for number in range(10):
            name = f"guest-{number}"
            house.create(name)
            deadline_s = time.monotonic() + 3
            while time.monotonic() < deadline_s:
                answer = client.get(url, headers={"host": "steady1.localhost"})
                answered += 1
                if answer.status_code != 200:
                    failures.append((answer.status_code, answer.text))
            house.tell("delete", name)
    assert failures == []
    assert answered > 300
    house.tell("delete", "steady1")
