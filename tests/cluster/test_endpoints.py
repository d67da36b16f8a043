"""Endpoints on a real cluster, by the control plane's HTTP and by their hosts."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import onnx
import pytest

from deployments.dataplane.sample import sample_request
from deployments.edge.config import TlsFiles
from tests.cluster.server import ROOT, Server, free_port
from tests.conformance.detector_packages import write_detector_package
from tests.unit.deployments.edge.certificates import Authority, tls_files
from tests.unit.deployments.models.builders import write_package

pytestmark = pytest.mark.cluster

READY_WITHIN_S = 180
SEEN_WITHIN_S = 60
VERSIONS = ("lite/1", "lite/2")
UNLOADABLE, WITHOUT_WEIGHTS = "unloadable/1", "empty/1"
SENT_WHILE_CHANGING = 2000
KILLS = 20
START_AT_ONCE = "import deployments.cli.control_process as c; c.LONGEST_PAUSE_S = 0.0"
"""Many kills in a row look like a control plane that cannot start, which is started ever more rarely."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A cluster of its own: the one that is shared has other tests' load."""
    models = tmp_path_factory.mktemp("models")
    for model_id in VERSIONS:
        write_detector_package(models / model_id, model_id, 320)
    write_detector_package(models / UNLOADABLE, UNLOADABLE, 320)
    network = onnx.load(models / UNLOADABLE / "weights.onnx")
    network.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(network, models / UNLOADABLE / "weights.onnx")
    write_package(models / WITHOUT_WEIGHTS, {"model_id": WITHOUT_WEIGHTS}, weights=b"")
    authority, port = Authority(tmp_path_factory.mktemp("authority")), free_port(1)
    files = authority.issue("localhost").write(tls_files(tmp_path_factory.mktemp("tls")))
    tls = ("--tls-certificate", files.certificate, "--tls-key", files.key, "--tls-port", port + 1)
    started = Server("--models", str(models), *map(str, tls), port=port, before=START_AT_ONCE)
    try:
        started.wait_for("ready http")
        yield Endpoints(started, authority, files)
    finally:
        started.stop()


class Endpoints:
    """The vendor's calls, and requests to endpoints by their hosts."""

    def __init__(self, server: Server, authority: Authority, files: TlsFiles) -> None:
        self.server, self.authority, self.files = server, authority, files
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

    def revisions(self, name: str) -> set[str]:
        """Revisions of an endpoint that have processes."""
        told = (re.search(rf"ServeReplica:{name}\.(r\w+)", line) for line in self.server.descendants().values())
        return {match[1] for match in told if match}

    def wait_until(self, holds, within_s: float = READY_WITHIN_S) -> None:
        deadline_s = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < deadline_s
            time.sleep(0.5)

    def control_pid(self) -> int | None:
        found = [pid for pid, command in self.server.descendants().items() if "deployments.control.process" in command]
        return found[0] if found else None

    def kill_control(self, *, not_yet: int | None, at_age_s: float) -> int:
        """Kill the control plane some time after it is seen, once it is another one than `not_yet`; gives which."""
        deadline_s = time.monotonic() + SEEN_WITHIN_S
        while (pid := self.control_pid()) is None or pid == not_yet:
            assert time.monotonic() < deadline_s, "no control plane was started"
            time.sleep(0.05)
        time.sleep(at_age_s)
        os.kill(pid, signal.SIGKILL)
        return pid


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


def test_the_server_speaks_tls_with_a_certificate_that_its_owner_replaces(house):
    trusting = ssl.create_default_context(cafile=house.authority.path)

    def ask(path: str) -> httpx.Response:
        url = f"https://127.0.0.1:{house.server.port + 1}{path}"
        with httpx.Client(verify=trusting, headers={"host": "localhost"}, timeout=60) as client:
            return client.get(url, extensions={"sni_hostname": "localhost"})

    assert ask("/info").status_code == 200
    assert ask("/list?api_key=any").json()["deployments"] == []
    house.authority.issue("localhost", "others.localhost").write(house.files)
    house.server.wait_for("TLS certificate replaced: for localhost, others.localhost", SEEN_WITHIN_S)
    assert ask("/info").status_code == 200
    house.files.key.write_bytes(house.authority.issue("localhost").key())
    house.server.wait_for("TLS CERTIFICATE NOT REPLACED", SEEN_WITHIN_S)
    assert ask("/info").status_code == 200


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


TRANSITIONS = (
    ("add", {"machine_type": "dev-cpu", "creator_email": "me@example.com"}, "ready"),
    ("pause", {}, "paused"),
    ("resume", {}, "ready"),
    ("update", {"config": {"pinned_models": [VERSIONS[1]]}}, "ready"),
    ("delete", {}, "404"),
)


@pytest.mark.slow
def test_a_control_plane_killed_twenty_times_in_each_transition_finishes_it(house):
    """Killed sooner than it has begun, in the middle, and when all is done; what is to serve serves throughout."""
    house.create("serves1")
    house.wait("serves1", "ready")
    dice, last, before = random.Random(20), None, set()
    for call, more, status in TRANSITIONS:
        assert house.tell(call, "killed1", **more).status_code == 200
        for _ in range(KILLS):
            last = house.kill_control(not_yet=last, at_age_s=dice.uniform(0.0, 2.0))
            assert house.to("serves1").status_code == 200
            if call == "update":
                assert house.to("killed1").status_code == 200
        house.wait("killed1", status)
        if call == "update":
            house.wait_until(lambda: house.ask("get", "killed1").json()["rollout"] == "done")
            house.wait_until(lambda: not before & house.revisions("killed1"))  # noqa: B023  asked at once
        if status == "ready":
            assert house.run("killed1").status_code == 200
            before = house.revisions("killed1")
        else:
            house.wait_until(lambda: not house.revisions("killed1"))
    house.tell("delete", "serves1")


class Load:
    """Requests to one endpoint without a pause: workflows on one connection, `/info` on two."""

    def __init__(self, house: Endpoints, name: str) -> None:
        self.failures: list[str] = []
        self.sent_while_changing = 0
        self._url, self._host = house.server.url, {"host": f"{name}.localhost"}
        self._changing = False
        self._over = threading.Event()
        self._counting = threading.Lock()
        asks = (self._run_workflow, self._ask_info, self._ask_info)
        self._threads = [threading.Thread(target=self._send, args=(ask,)) for ask in asks]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What is sent meanwhile counts as sent during a change."""
        self._changing = True
        try:
            yield
        finally:
            self._changing = False

    def _send(self, ask) -> None:
        with httpx.Client(base_url=self._url, headers=self._host, timeout=60) as client:
            while not self._over.is_set():
                counts = self._changing
                try:
                    answer = ask(client)
                    failure = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text}"
                except httpx.HTTPError as error:
                    failure = repr(error)
                with self._counting:
                    self.sent_while_changing += counts
                    if failure:
                        self.failures.append(failure)

    @staticmethod
    def _run_workflow(client: httpx.Client) -> httpx.Response:
        return client.post("/workflows/run", json=sample_request())

    @staticmethod
    def _ask_info(client: httpx.Client) -> httpx.Response:
        return client.get("/info")


@pytest.mark.slow
def test_endpoints_come_and_go_without_a_request_to_another_failing(house):
    """Ten, each for a few seconds, some of them until they answer: Serve's proxy changes its routes each time."""
    house.create("steady1")
    house.wait("steady1", "ready")
    with Load(house, "steady1") as load, load.counted():
        for number in range(10):
            name = f"guest-{number}"
            house.create(name)
            if number % 4 == 0:
                house.wait(name, "ready")
                assert house.to(name).status_code == 200
            else:
                time.sleep(3)
            house.tell("delete", name)
            assert house.to(name).status_code == 404
    assert load.failures == []
    assert load.sent_while_changing > 300
    house.tell("delete", "steady1")


@pytest.mark.slow
def test_changes_are_rolled_out_without_a_failed_request_and_bad_ones_are_taken_back(house):
    house.create("rolls1", config={"pinned_models": [VERSIONS[0]]})
    house.wait("rolls1", "ready")
    changes = 0
    with Load(house, "rolls1") as load:
        while changes < 2 or load.sent_while_changing < SENT_WHILE_CHANGING:
            changes += 1
            version = VERSIONS[changes % 2]
            before = house.revisions("rolls1")
            with load.counted():
                told = house.tell("update", "rolls1", config={"pinned_models": [version]}).json()
                assert (told["status"], told["rollout"]) == ("ready", "under way")
                house.wait_until(lambda: house.ask("get", "rolls1").json()["rollout"] == "done")
                house.wait_until(lambda before=before: not before & house.revisions("rolls1"))
            loaded = house.to("rolls1", "/model/registry").json()["models"]
            assert version in [model["model_id"] for model in loaded]
        good = house.revisions("rolls1")
        assert len(good) == 1

        for config, why in (
            ({"text_reader_model": "no-such/1"}, "no-such/1"),
            ({"pinned_models": [UNLOADABLE]}, UNLOADABLE),
            ({"pinned_models": [WITHOUT_WEIGHTS]}, WITHOUT_WEIGHTS),
        ):
            with load.counted():
                house.tell("update", "rolls1", config=config)
                house.wait_until(lambda: house.ask("get", "rolls1").json()["rollout"] == "taken back")
                house.wait_until(lambda: house.revisions("rolls1") == good)
            reason = house.ask("get", "rolls1").json()["status_reason"]
            assert "taken back" in reason
            assert why in reason
            assert "/tmp" not in reason
            assert any(why in e["payload"] for e in house.ask("get_log", "rolls1", max_entries=300).json())
        assert house.status("rolls1") == "ready"
    assert load.failures == []
    assert load.sent_while_changing >= SENT_WHILE_CHANGING
    print(f"{load.sent_while_changing} requests sent during {changes} changes and three that were taken back")

    replicas = set(house.replicas("rolls1"))
    house.tell("resize", "rolls1", min_replicas=2, max_replicas=2)
    house.wait_until(lambda: house.ask("get", "rolls1").json()["num_replicas"] == 2)
    house.wait_until(lambda: set(house.replicas("rolls1")) > replicas)  # in place: those there were go on
    house.tell("delete", "rolls1")
