"""A newcomer's ten minutes: two endpoints, keys, and all that the vendor's unmodified programs do with them, in a row.

The vendor's programs are told to reach hosts through a proxy, which is the server itself: it understands requests that
name their host in full, and so no name has to be resolved.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.cluster.server import ROOT, Server
from tests.conformance.detector_packages import write_detector_package
from tests.sdk.conftest import HERE, SAMPLES, SDK_PYTHON
from tests.sdk.vendor_command import PROGRAM, VendorCommand

pytestmark = pytest.mark.sdk

READY_WITHIN_S = 240.0
REVOKED_WITHIN_S = 5.0
OWN_MODEL = "own-plates/1"


class House:
    """A server that asks for keys, the commands of its owner, and the programs of a user."""

    def __init__(self, server: Server, database: str, home: str) -> None:
        self.server, self.database, self.home = server, database, home
        self.key = ""

    def use(self, key: str) -> None:
        """Its owner's key, for both command lines."""
        self.key, self.vendor = key, VendorCommand(self.server.url, key, Path(self.home))

    def run(self, command: list[str], *, given: str | None = None, **environment: str) -> str:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=READY_WITHIN_S,
            cwd=ROOT,
            env=os.environ | {"HOME": self.home, "PYTHONPATH": str(ROOT)} | environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sightline(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "deployments.cli.main", *arguments]
        return self.run(command, SIGHTLINE_URL=self.server.url, SIGHTLINE_API_KEY=self.key).strip()

    def make_key(self, scope: str) -> str:
        return self.sightline("keys", "create", "--workspace", "acme", "--scope", scope, "--database", self.database)

    def read_plates(self, name: str, key: str) -> dict:
        """What `inference_sdk` is answered at the host of an endpoint."""
        url = f"http://{name}.localhost:{self.server.port}"
        images = {"image": {"$image": str(SAMPLES / "car.jpg"), "as": "path"}}
        specification = json.loads((HERE / "tutorial.json").read_text())
        call = {
            "method": "run_workflow",
            "api_key": key,
            "kwargs": {"specification": specification, "images": images},
        }
        command = [str(SDK_PYTHON), str(HERE / "user_program.py"), url]
        return json.loads(self.run(command, given=json.dumps(call) + "\n", http_proxy=self.server.url, PYTHONPATH=""))

    def models_at(self, name: str, key: str) -> httpx.Response:
        """The models that an endpoint has loaded, asked of its host."""
        return httpx.get(
            f"{self.server.url}/model/registry",
            headers={"host": f"{name}.localhost", "authorization": f"Bearer {key}"},
            timeout=30,
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip("the vendor's command line is not installed: `make test-sdk` installs it into .venv-sdk")
    models = tmp_path_factory.mktemp("models")
    write_detector_package(models / OWN_MODEL, OWN_MODEL, 320)
    database = f"sqlite:///{tmp_path_factory.mktemp('state')}/sightline.db"
    server = Server("--keys", "on", "--models", str(models), "--database", database)
    try:
        server.wait_for("ready http")
        yield House(server, database, str(tmp_path_factory.mktemp("home")))
    finally:
        server.stop()


def test_two_endpoints_from_the_first_key_to_the_end(house, plate_text):
    house.use(house.make_key("admin"))
    users_key = house.make_key("infer")
    for name in ("gate1", "gate2"):
        made = house.vendor.told("create", name, "-m", "dev-cpu", "-e", "me@example.com")
        assert (made["status"], made["workspace_id"]) == ("pending", "acme")
    for name in ("gate1", "gate2"):
        house.vendor.wait(name, "ready")
    changed = json.loads(house.sightline("endpoint", "update", "gate2", "--pin", OWN_MODEL, "--wait", "--json"))
    assert (changed["status"], changed["rollout"]) == ("ready", "done")

    loaded = {name: house.models_at(name, users_key).text for name in ("gate1", "gate2")}
    assert [name for name, models in loaded.items() if OWN_MODEL in models] == ["gate2"]
    for name in ("gate1", "gate2"):
        [answer] = house.read_plates(name, users_key)["result"]
        assert answer["recognised_plates"] == [plate_text]

    house.vendor.told("pause", "gate1")
    assert house.read_plates("gate1", users_key)["error"]["status"] == 503
    refused = house.models_at("gate1", users_key)
    assert (refused.status_code, refused.json()["status"]) == (503, "paused")
    assert int(refused.headers["retry-after"]) > 0
    assert house.read_plates("gate2", users_key)["result"]
    house.vendor.wait("gate1", "paused")
    house.vendor.told("resume", "gate1")
    house.vendor.wait("gate1", "ready")
    assert house.read_plates("gate1", users_key)["result"]

    assert house.models_at("gate1", users_key).status_code == 200
    house.sightline("keys", "revoke", users_key, "--database", house.database)
    revoked_s = time.monotonic()
    while house.models_at("gate1", users_key).status_code != 401:
        assert time.monotonic() - revoked_s < REVOKED_WITHIN_S
        time.sleep(0.1)
    assert house.read_plates("gate2", users_key)["error"]["status"] == 401

    used = house.vendor.told("usage")
    assert {row["deployment_name"] for row in used["deployments"]} == {"gate1", "gate2"}
    assert "pending -> ready" in house.vendor.text("log", "gate1", "-n", "50")
    for name in ("gate1", "gate2"):
        house.vendor.told("delete", name)
    assert house.vendor.told("list")["deployments"] == []
    assert house.models_at("gate1", house.key).status_code == 404
