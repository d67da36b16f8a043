"""Endpoints by the vendor's unmodified command line, `roboflow deployment`."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import httpx
import pytest

from tests.sdk.conftest import SDK_PYTHON
from tests.sdk.vendor_command import VendorCommand

pytestmark = pytest.mark.sdk

NAME = "vendor1"


@pytest.fixture(scope="module")
def vendor(served_url, tmp_path_factory):
    return VendorCommand(served_url, "some-key", tmp_path_factory.mktemp("home"))


def test_every_verb_from_creation_to_deletion(vendor, served_url):
    names = [kind["name"] for kind in vendor.told("machine-type")["machine_types"]]
    assert {"dev-cpu", "dev-gpu", "prod-cpu", "prod-gpu"} <= set(names)

    said = vendor.text("create", NAME, "-m", "dev-cpu", "-e", "me@example.com", "--duration", "1.5")
    assert f"Deployment {NAME} created successfully" in said
    made = json.loads(said[said.index("{") :])
    assert (made["duration"], made["status"], made["subdomain"]) == (1.5, "pending", NAME)

    ready = vendor.text("get", NAME, "--wait")  # looks every 30 s
    assert json.loads(ready[ready.index("{") :])["status"] == "ready"
    host = {"host": f"{NAME}.localhost"}
    assert httpx.get(f"{served_url}/info", headers=host, timeout=30).status_code == 200
    assert [entry["deployment_name"] for entry in vendor.told("list")["deployments"]] == [NAME]

    assert "pending -> ready" in vendor.text("log", NAME, "-n", "50")

    vendor.told("pause", NAME)
    vendor.wait(NAME, "paused")
    paused = httpx.get(f"{served_url}/info", headers=host, timeout=30)
    assert (paused.status_code, paused.json()["status"]) == (503, "paused")
    vendor.told("resume", NAME)
    vendor.wait(NAME, "ready")

    assert vendor.told("usage")["seconds"] > 0
    assert vendor.told("usage", NAME)["deployments"][0]["deployment_name"] == NAME
    assert vendor.told("usage", NAME, "--from", "2001-01-01T00:00:00", "--to", "2001-01-02T00:00:00")["seconds"] == 0

    vendor.told("delete", NAME)
    assert "404" in vendor.text("get", NAME, status=1)
    assert vendor.told("list")["deployments"] == []


FOLLOW = """
import sys
from types import SimpleNamespace
from roboflow.deployment import get_deployment_log
sys.stdout.reconfigure(line_buffering=True)
get_deployment_log(SimpleNamespace(api_key="k", deployment_name=sys.argv[1], duration=3600, tail=10, follow=True))
"""
"""What `roboflow deployment log -f` runs; the command itself keeps what that prints to itself until it ends."""


def test_the_log_is_followed_and_no_line_comes_twice(vendor):
    vendor.text("create", NAME, "-m", "prod-gpu", "-e", "me@example.com")
    vendor.wait(NAME, "failed")
    following = subprocess.Popen(
        [SDK_PYTHON, "-c", FOLLOW, NAME], stdout=subprocess.PIPE, text=True, env=vendor.environment
    )
    time.sleep(3)
    vendor.told("pause", NAME)
    time.sleep(12)  # it looks every 10 s
    assert following.poll() is None
    following.send_signal(signal.SIGKILL)
    lines = following.communicate(timeout=20)[0].splitlines()
    vendor.told("delete", NAME)
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
def test_what_cannot_be_is_said(vendor, arguments, text):
    assert text in vendor.text(*arguments, status=1)
