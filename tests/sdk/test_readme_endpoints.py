"""What README.md tells a newcomer about endpoints, run from its text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.sdk.conftest import SDK_PYTHON

pytestmark = pytest.mark.sdk

ROOT = Path(__file__).resolve().parents[2]
STORY = re.compile(r"^### Endpoints$.*?^```sh$\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME_IN_STORY = re.compile(r"(?:deployment|endpoint) create (\S+)")
URL_OF_STORY = "http://127.0.0.1:9001"
WITHIN_S = 400


@pytest.fixture(scope="module")
def story() -> str:
    """The commands, as they stand there."""
    found = STORY.search((ROOT / "README.md").read_text())
    assert found, "README.md shows no commands below `### Endpoints`"
    return found[1]


@pytest.fixture
def environment(served_url, tmp_path):
    """A shell in which the commands of both command lines are found, and neither has ever run."""
    if not SDK_PYTHON.with_name("roboflow").exists():
        pytest.skip("the vendor's command line is not installed: `make test-sdk` installs it into .venv-sdk")
    (tmp_path / "roboflow").symlink_to(SDK_PYTHON.with_name("roboflow"))
    ours = tmp_path / "sightline"
    ours.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m deployments.cli.main "$@"\n')
    ours.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "HOME": str(tmp_path), "ROBOFLOW_API_KEY": "any", "SIGHTLINE_URL": served_url}


def test_every_command_does_what_it_says(story, environment, served_url):
    [name] = NAME_IN_STORY.findall(story)
    port = served_url.rpartition(":")[2]
    commands = story.replace(URL_OF_STORY, served_url).replace(":9001", f":{port}").replace(".venv/bin/", "")
    try:
        done = subprocess.run(
            ["bash", "-euxo", "pipefail", "-c", commands.replace("curl ", "curl -sS --fail-with-body ")],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer = httpx.get(f"{served_url}/info", headers={"host": f"{name}.localhost"}, timeout=30)
        if "pause" in story.rpartition("create")[2]:
            assert (answer.status_code, answer.json()["status"]) == (503, "paused")
        else:
            assert answer.status_code == 200
    finally:
        httpx.post(f"{served_url}/delete", json={"api_key": "any", "deployment_name": name}, timeout=30)
    deadline_s = time.monotonic() + 60
    while httpx.get(f"{served_url}/get", params={"api_key": "any", "deployment_name": name}).status_code != 404:
        assert time.monotonic() < deadline_s
        time.sleep(0.5)
