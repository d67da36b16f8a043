"""Endpoints by the vendor's unmodified command line, `roboflow deployment`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import httpx
import pytest

from tests.sdk.conftest import SDK_PYTHON

pytestmark = pytest.mark.sdk

COMMAND = SDK_PYTHON.with_name("roboflow")
NAME = "vendor1"


@pytest.fixture(scope="module")
def environment(served_url, tmp_path_factory):
    if not COMMAND.exists():
        pytest.skip("the vendor's command line is not installed: `make test-sdk` installs it into .venv-sdk")
    return os.environ | {
        "DEDICATED_DEPLOYMENT_URL": served_url,
        "ROBOFLOW_API_KEY": "some-key",
        "HOME": str(tmp_path_factory.mktemp("home")),
    }


@pytest.fixture(scope="module")
def deployment(environment):
    """Runs a verb; gives what it printed as JSON."""

    def run(*arguments: str, status: int = 0, as_json: bool = True):
        command = [COMMAND, *(["--json"] if as_json else []), "deployment", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == status, done.stdout + done.stderr
        said = done.stdout if status == 0 else done.stdout + done.stderr
        return json.loads(said) if as_json and status == 0 else said

    return run


def wait(deployment, status: str, within_s: float = 120.0) -> dict:
    deadline_s = time.monotonic() + within_s
    while (found := deployment("get", NAME))["status"] != status:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.5)
    return found


def test_every_verb_from_creation_to_deletion(deployment, environment, served_url):
    names = [kind["name"] for kind in deployment("machine-type")["machine_types"]]
    assert {"dev-cpu", "dev-gpu", "prod-cpu", "prod-gpu"} <= set(names)

    said = deployment("create", NAME, "-m", "dev-cpu", "-e", "me@example.com", "--duration", "1.5", as_json=False)
    assert f"Deployment {NAME} created successfully" in said
    made = json.loads(said[said.index("{") :])
    assert (made["duration"], made["status"], made["subdomain"]) == (1.5, "pending", NAME)

    ready = deployment("get", NAME, "--wait", as_json=False)  # looks every 30 s
    assert json.loads(ready[ready.index("{") :])["status"] == "ready"
    host = {"host": f"{NAME}.localhost"}
    assert httpx.get(f"{served_url}/info", headers=host, timeout=30).status_code == 200
    assert [entry["deployment_name"] for entry in deployment("list")["deployments"]] == [NAME]

    assert "pending -> ready" in deployment("log", NAME, "-n", "50", as_json=False)

    deployment("pause", NAME)
    wait(deployment, "paused")
    paused = httpx.get(f"{served_url}/info", headers=host, timeout=30)
    assert (paused.status_code, paused.json()["status"]) == (503, "paused")
    deployment("resume", NAME)
    wait(deployment, "ready")

    assert deployment("usage")["seconds"] > 0
    assert deployment("usage", NAME)["deployments"][0]["deployment_name"] == NAME
    assert deployment("usage", NAME, "--from", "2001-01-01T00:00:00", "--to", "2001-01-02T00:00:00")["seconds"] == 0

    deployment("delete", NAME)
    assert "404" in deployment("get", NAME, status=1, as_json=False)
    assert deployment("list")["deployments"] == []


FOLLOW = """
import sys
from types import SimpleNamespace
from roboflow.deployment import get_deployment_log
sys.stdout.reconfigure(line_buffering=True)
get_deployment_log(SimpleNamespace(api_key="k", deployment_name=sys.argv[1], duration=3600, tail=10, follow=True))
"""
"""What `roboflow deployment log -f` runs; the command itself keeps what that prints to itself until it ends."""


def test_the_log_is_followed_and_no_line_comes_twice(deployment, environment):
    deployment("create", NAME, "-m", "prod-gpu", "-e", "me@example.com", as_json=False)
    wait(deployment, "failed")
    following = subprocess.Popen([SDK_PYTHON, "-c", FOLLOW, NAME], stdout=subprocess.PIPE, text=True, env=environment)
    time.sleep(3)
    deployment("pause", NAME)
    time.sleep(12)  # it looks every 10 s
    assert following.poll() is None
    following.send_signal(signal.SIGKILL)
    lines = following.communicate(timeout=20)[0].splitlines()
    deployment("delete", NAME)
    assert sum("pending -> failed" in line for line in lines) == 1
    assert sum("failed -> paused" in line for line in lines) == 1
    assert lines.index(next(line for line in lines if "created on" in line)) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("create", "Bad_Name", "-m", "dev-cpu", "-e", "me@example.com"), "400"),
        (("create", "abc", "-m", "dev-cpu", "-e", "me@example.com"), "400"),
        (("create", NAME, "-m", "no-such", "-e", "me@example.com"), "no machine type 'no-such'"),
        (("pause", "nobody1"), "there is no endpoint 'nobody1'"),
        (("log", "nobody1"), "404"),
    ],
)
def test_what_cannot_be_is_said(deployment, arguments, text):
    assert text in deployment(*arguments, status=1, as_json=False)
