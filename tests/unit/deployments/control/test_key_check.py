"""Who may ask the control plane what."""

from __future__ import annotations

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from deployments.control.access import KeyAccess, OpenAccess
from deployments.control.key_check import POLICIES, PUBLIC
from deployments.control.machine_types import read_machine_types
from deployments.control.routes import create_control_app
from deployments.control.service import EndpointService
from deployments.edge.config import CONTROL_PATHS, UNKNOWN_HOST_PATH
from deployments.storage.api_key import Scope
from deployments.storage.database import open_database, sqlite_url
from deployments.storage.errors import StorageUnavailableError
from deployments.storage.keys import create_key, revoke_key

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NEW = {"deployment_name": "plates1", "machine_type": "dev-cpu", "creator_email": "me@example.com"}


@pytest.fixture
def database(tmp_path):
    database = open_database(sqlite_url(tmp_path / "state.db"))
    yield database
    database.close()


def create_app(database, access):
    service = EndpointService(database, read_machine_types(None), lambda: None, domain="example.org")
    return create_control_app(service, access, database, None)


def asking(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://control")


@pytest.fixture
def app(database):
    return create_app(database, KeyAccess(database))


@pytest.fixture
async def client(app):
    async with asking(app) as client:
        yield client


@pytest.fixture
def make(database):
    def make_key(scope=Scope.ADMIN, workspace="acme", now_unix_s=0.0, **fields):
        with database.writing() as session:
            return create_key(session, workspace, scope, now_unix_s=now_unix_s, **fields)[0]

    return make_key


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_every_route_has_a_policy_and_runs_the_check(app):
    contexts = list(iter_route_contexts(app.routes))
    assert {context.path for context in contexts} == set(POLICIES)
    for context in contexts:
        assert isinstance(context.original_route, APIRoute)
        assert context.dependencies


def test_the_edge_leads_here_for_what_has_a_policy_alone():
    assert {*CONTROL_PATHS, UNKNOWN_HOST_PATH, "/-/alive"} == set(POLICIES)
    assert {path for path, scope in POLICIES.items() if scope is PUBLIC} == {UNKNOWN_HOST_PATH, "/-/alive"}


async def test_no_call_is_answered_without_a_good_key(client, make, database):
    revoked = make()
    with database.writing() as session:
        revoke_key(session, revoked.split("_")[1], now_unix_s=1.0)
    wrong = ({}, bearer("None"), bearer(make()[:-1] + "."), bearer(revoked), bearer(make(expires_unix_s=1.0)))
    for path in CONTROL_PATHS:
        for method in METHODS:
            for headers in wrong:
                answer = await client.request(method, path, headers=headers)
                assert answer.status_code in (401, 405), (path, method)
                assert answer.status_code == 405 or answer.text == "Unauthorized api_key"


async def test_a_key_for_less_is_refused_and_one_of_the_scope_is_not(client, make):
    keys = {scope: make(scope) for scope in Scope}
    for path in CONTROL_PATHS:
        method = "POST" if path in ("/add", "/pause", "/resume", "/delete", "/resize", "/update") else "GET"
        for scope, key in keys.items():
            answer = await client.request(method, path, headers=bearer(key))
            enough = list(Scope).index(scope) >= list(Scope).index(POLICIES[path])
            assert (answer.status_code != 403) is enough, (path, scope)
            assert answer.status_code != 401


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda key: {"json": NEW | {"api_key": key}}, 200),
        (lambda key: {"json": NEW, "params": {"api_key": key}}, 200),
        (lambda key: {"json": NEW, "headers": bearer(key)}, 200),
        (lambda key: {"json": NEW | {"api_key": "nonsense"}, "headers": bearer(key)}, 200),
        (lambda key: {"json": NEW | {"api_key": key}, "params": {"api_key": "nonsense"}}, 401),
        # What clients send that have no key.
        (lambda key: {"json": NEW, "params": {"api_key": "None"}, "headers": bearer(key)}, 200),
        (lambda key: {"json": NEW | {"api_key": key}, "params": {"api_key": ""}, "headers": bearer("None")}, 200),
        (lambda key: {"json": NEW | {"api_key": [key]}}, 401),
        (lambda key: {"json": [key]}, 401),
        (lambda key: {"content": b"\xff"}, 401),
        (lambda key: {"content": b"[" * 10_000}, 401),
        (lambda key: {"content": b" " * 300_000}, 413),
        (lambda key: {"content": b"{", "headers": bearer(key)}, 400),
    ],
)
async def test_where_a_key_may_travel(client, make, send, status):
    answer = await client.post("/add", **send(make()))
    assert answer.status_code == status, answer.text


async def test_endpoints_are_their_workspaces_alone(client, make):
    own, other = make(), make(workspace="bolts")
    made = (await client.post("/add", json=NEW, headers=bearer(own))).json()
    assert made["workspace_id"] == "acme"
    assert (await client.get("/list", headers=bearer(other))).json() == {"deployments": []}
    for verb in ("pause", "resume", "delete"):
        answer = await client.post(f"/{verb}", json={"deployment_name": "plates1"}, headers=bearer(other))
        assert answer.status_code == 404
    for path in ("/get", "/get_log", "/usage_deployment"):
        answer = await client.get(path, params={"deployment_name": "plates1"}, headers=bearer(other))
        assert answer.status_code == 404
    assert (await client.get("/get", params={"deployment_name": "plates1"}, headers=bearer(own))).status_code == 200


async def test_an_unknown_host_is_answered_with_what_the_key_may_see(client, make):
    own, other = make(), make(workspace="bolts", scope=Scope.INFER)
    await client.post("/add", json=NEW, headers=bearer(own))

    async def told(**sent):
        sent["headers"] = sent.get("headers", {}) | {"x-sightline-host": "nobody.example.org"}
        answer = await client.get(UNKNOWN_HOST_PATH, **sent)
        assert answer.status_code == 404
        assert answer.json()["message"] == "no endpoint answers at nobody.example.org"
        return answer.json().get("endpoints")

    assert await told(headers=bearer(own)) == ["plates1.example.org"]
    assert await told(params={"api_key": own}) == ["plates1.example.org"]
    assert await told(headers=bearer(other)) == []
    assert await told(headers=bearer("nonsense")) is None
    assert await told() is None


async def test_a_new_route_without_a_policy_lets_nobody_in(app, client, make):
    app.add_api_route("/new", lambda: "secret", methods=["GET"])
    assert (await client.get("/new")).status_code == 401
    assert (await client.get("/new", headers=bearer(make()))).status_code == 403


async def test_a_database_that_is_away_is_said_without_its_place(database):
    class Away:
        async def principal(self, key):
            raise StorageUnavailableError("the database sqlite:////secret/place.db does not answer")

    async with asking(create_app(database, Away())) as client:
        answer = await client.get("/list", headers=bearer("x"))
    assert (answer.status_code, answer.text) == (503, "the control plane's database does not answer; try again")


async def test_where_no_keys_are_asked_for_everybody_is_one_workspace(database):
    async with asking(create_app(database, OpenAccess())) as client:
        made = await client.post("/add", json=NEW)
        listed = await client.get("/list", params={"api_key": "whatever"})
    assert made.json()["workspace_id"] == "default"
    assert [row["deployment_name"] for row in listed.json()["deployments"]] == ["plates1"]
