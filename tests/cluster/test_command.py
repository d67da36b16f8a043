"""Starting and stopping the command, in all the ways that go wrong."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
import yaml

from deployments.dataplane.sample import sample_request
from tests.cluster.server import ROOT, Server, free_port

pytestmark = pytest.mark.cluster

STOPS_WITHIN_S = 10


def gone(pids) -> bool:
    def alive(pid: int) -> bool:
        try:
            return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return not any(alive(pid) for pid in pids)


def test_the_python_proxy_answers_and_sigterm_stops_everything():
    server = Server("--proxy", "python")
    try:
        server.wait_for("ready http")
        assert not [command for command in server.descendants().values() if "haproxy" in command]
        answer = httpx.post(f"{server.url}/workflows/run", json=sample_request(), timeout=60)
        assert answer.status_code == 200
        assert "recognised_plates" in answer.json()["outputs"][0]

        second = Server(port=server.port)
        assert second.exit_status(15) == 1
        assert f"port {server.port} is taken" in second.output

        below = set(server.descendants())
        assert len(below) > 5
        server.process.send_signal(signal.SIGTERM)
        assert server.exit_status(STOPS_WITHIN_S) == 0, server.output
        assert gone(below)
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_interrupted_leaves_nothing(number):
    server = Server()
    server.wait_for("starting Ray Serve")
    below = set(server.descendants())
    server.process.send_signal(number)
    assert server.exit_status(STOPS_WITHIN_S) == 0, server.output
    assert gone(below)


def test_a_command_that_is_killed_leaves_nothing_either():
    server = Server()
    server.wait_for("is up")
    below = set(server.descendants())
    server.process.kill()
    server.exit_status(5)
    deadline_s = time.monotonic() + STOPS_WITHIN_S
    while not gone(below) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert gone(below)


def test_a_second_interrupt_does_not_wait():
    server = Server()
    server.wait_for("starting Ray")
    time.sleep(1)
    server.process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGINT)
    assert server.exit_status(5) == 0, server.output


def test_a_taken_port_is_said_before_anything_starts():
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        server = Server(port=other.getsockname()[1])
        assert server.exit_status(15) == 1
    assert "is taken" in server.output
    assert "starting" not in server.output


def test_a_folder_with_a_bad_model_package_is_refused_with_what_is_wrong(tmp_path):
    package = tmp_path / "plates" / "1"
    package.mkdir(parents=True)
    (package / "model_config.json").write_text("{not json")
    (package / "weights.onnx").write_bytes(b"")
    server = Server("--models", str(tmp_path))
    assert server.exit_status(20) == 1
    assert "cannot be served" in server.output
    assert "model_config.json" in server.output


def test_a_misspelt_key_of_the_configuration_is_refused(tmp_path):
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    config["applications"][0]["deployments"][1]["ray_actor_options"]["num_gpu"] = 1
    path = tmp_path / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config))
    server = Server("--config", str(path))
    assert server.exit_status(30) == 1
    assert "applications.plates.deployments.ObjectDetector.ray_actor_options.num_gpu" in server.output
    assert "num_gpus" in server.output
