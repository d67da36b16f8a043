"""`sightline endpoint` against the real control plane's HTTP in this process, over a platform in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from deployments.cli import control_client
from deployments.cli.main import app
from deployments.control.access import Principal
from deployments.control.machine_types import MachineType, MachineTypes
from deployments.control.reconciler import Reconciler
from deployments.control.routes import create_control_app
from deployments.control.service import EndpointService
from deployments.storage.api_key import Scope
from deployments.storage.database import open_database, sqlite_url
from tests.unit.deployments.control.fake_platform import FakeEdge, FakePlatform

TYPES = MachineTypes([MachineType(name="dev-cpu", tier="dev", num_cpus=1), MachineType(name="huge", num_cpus=99)])
ROUNDS = 6


class TwoKeys:
    """One that manages, and one that only looks."""

    async def principal(self, key: str | None) -> Principal | None:
        known = {"manages": frozenset(Scope), "looks": frozenset([Scope.INFER])}
        return Principal(workspace="acme", scopes=known[key]) if key in known else None


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlatform]:
    """What runs endpoints; each change is carried out before its request is answered."""
    database = open_database(sqlite_url(tmp_path / "e.db"))
    fake = FakePlatform()
    reconciler = Reconciler(database, fake, FakeEdge(), TYPES)

    def carry_out() -> None:
        for _ in range(ROUNDS):
            reconciler.round()
            fake.progress()
        reconciler.round()

    service = EndpointService(database, TYPES, carry_out, domain="example.com")
    control = create_control_app(service, TwoKeys(), database, None)
    monkeypatch.setattr(
        httpx, "Client", lambda base_url, headers, timeout: TestClient(control, base_url=base_url, headers=headers)
    )
    monkeypatch.setenv("SIGHTLINE_API_KEY", "manages")
    yield fake
    database.close()


def endpoint(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["endpoint", *arguments])


def shown(*arguments: str) -> dict[str, object]:
    result = endpoint(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_there_are_none_at_first(platform):
    assert shown("list") == {"deployments": []}
    assert endpoint("list").output.split() == [
        "host",
        "status",
        "machine_type",
        "num_replicas",
        "min_replicas",
        "max_replicas",
        "expires_at",
    ]


def test_one_is_created_looked_at_paused_resumed_and_deleted(platform):
    assert shown("create", "plates", "--wait")["status"] == "ready"
    assert endpoint("get", "plates").output.startswith("plates.example.com  ready  1 replica")
    assert endpoint("list").output.splitlines()[1].split()[:3] == ["plates.example.com", "ready", "dev-cpu"]
    assert shown("pause", "plates", "--wait")["status"] == "paused"
    assert shown("resume", "plates", "--wait")["status"] == "ready"
    assert "created on dev-cpu" in endpoint("logs", "plates").output.splitlines()[0]
    assert [row["deployment_name"] for row in shown("usage")["deployments"]] == ["plates"]
    assert endpoint("delete", "plates", "--wait").exit_code == 0
    assert platform.running == {}
    assert endpoint("get", "plates").exit_code == 3


def test_it_is_created_as_the_options_say(platform):
    options = ("--min-replicas", "2", "--max-replicas", "4", "--duration", "1.5", "--keep", "--host", "cars.test")
    made = shown("create", "plates", "-m", "dev-cpu", *options)
    assert (made["min_replicas"], made["max_replicas"], made["duration"]) == (2, 4, 1.5)
    assert (made["delete_on_expiration"], made["custom_domains"]) == (False, ["cars.test"])


def test_a_resize_is_waited_for(platform):
    shown("create", "plates", "--wait")
    resized = shown("resize", "plates", "--min-replicas", "3", "--max-replicas", "5", "--wait")
    assert resized["num_replicas"] == 3


def test_a_change_is_waited_for_and_one_that_fails_says_why(platform):
    platform.refuses = {"no/1": "there is no model no/1"}
    shown("create", "plates", "--wait")
    assert shown("update", "plates", "--pin", "cars/2", "--wait")["rollout"] == "done"
    refused = endpoint("update", "plates", "--text-reader", "no/1", "--wait")
    assert refused.exit_code == 6
    assert "there is no model no/1" in refused.output
    assert shown("get", "plates")["status"] == "ready"


def test_what_does_not_start_says_why(platform):
    platform.never = "it asks for 1 GPU (the largest machine has 0)"
    refused = endpoint("create", "plates", "--wait")
    assert refused.exit_code == 6
    assert "plates failed: it asks for 1 GPU" in refused.output


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["create", "Plates"], 1, "'Plates' is no name for an endpoint; take 5 to 15"),
        (["create", "plates", "-m", "tiny"], 1, "tiny"),
        (["create", "taken", "-m", "huge"], 5, "another name"),
        (["get", "nobody"], 3, "there is no endpoint 'nobody'"),
        (["resize", "taken", "--min-replicas", "3", "--max-replicas", "2"], 1, "fewer than min_replicas"),
        (["usage", "--from", "yesterday"], 1, "'yesterday' is no time"),
        (["--api-key", "wrong", "list"], 4, "Unauthorized"),
        (["--api-key", "looks", "delete", "taken"], 4, "needs the scope manage"),
        (["--url", "127.0.0.1:9001", "list"], 2, "no address of a server"),
        (["dance"], 2, "dance"),
    ],
)
def test_what_is_refused_says_what_would_be_right(platform, arguments, status, said):
    shown("create", "taken")
    refused = endpoint(*arguments)
    assert refused.exit_code == status
    assert said in refused.output
    assert "Traceback" not in refused.output


def test_a_server_that_is_away_is_named(monkeypatch):
    def away(*_args, **_more):
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setattr(httpx.Client, "request", away)
    result = endpoint("--url", "http://127.0.0.1:1", "list")
    assert result.exit_code == 7
    assert "no control plane answers at http://127.0.0.1:1" in result.output
    assert "sightline serve" in result.output


def test_a_control_plane_that_restarts_is_waited_for(platform, monkeypatch):
    asked, failures = control_client.ControlClient.ask, iter([True, True, False])

    def ask(self, call, **query):
        if next(failures, False):
            raise control_client.ControlRefusedError("it restarts", control_client.EXIT_UNREACHABLE)
        return asked(self, call, **query)

    monkeypatch.setattr(control_client, "POLL_S", 0.0)
    monkeypatch.setattr(control_client.ControlClient, "ask", ask)
    assert shown("create", "plates", "--wait")["status"] == "ready"


def test_one_that_stays_away_is_not(platform, monkeypatch):
    def ask(self, call, **query):
        raise control_client.ControlRefusedError("it is away", control_client.EXIT_UNREACHABLE)

    monkeypatch.setattr(control_client, "AWAY_S", 0.0)
    monkeypatch.setattr(control_client, "POLL_S", 0.0)
    monkeypatch.setattr(control_client.ControlClient, "ask", ask)
    assert endpoint("create", "plates", "--wait").exit_code == 7


def test_every_exit_status_is_in_the_help():
    text = " ".join(endpoint("--help").output.split())
    for number in range(8):
        assert f"{number} " in text.partition("Exit status:")[2]
