"""Who is let in where keys are asked for: every route, every place where a key may travel, every kind of wrong key."""

from __future__ import annotations

import logging
import re

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from deployments.dataplane.service import WorkflowService
from deployments.errors import OverloadedError
from deployments.ingress.app import create_app
from deployments.ingress.key_policy import GRPC_POLICIES, POLICIES, PUBLIC, check_key
from deployments.kserve.grpc_door import GrpcDoor
from deployments.storage.api_key import Scope
from tests.unit.deployments.ingress.conftest import SPECIFICATION
from tests.unit.deployments.storage.fake_keys import FakeKeys

UNAUTHORIZED = {"status": 401, "message": "Unauthorized api_key"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.fixture
def keys():
    return FakeKeys()


@pytest.fixture
def service(backend, settings, keys):
    guarded = settings.model_copy(update={"require_keys": True, "keys_workspace": "acme"})
    return WorkflowService(backend, guarded, key_source=lambda: keys)


@pytest.fixture
def app(service):
    return create_app(lambda: service)


@pytest.fixture
async def client(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://server") as client:
        yield client


def address(path):
    """A path that the route of this declaration takes, and no other one before it."""
    return re.sub(r"\{[a-z_]+(:path)?\}", "x1", path)


def routes():
    """Path as declared, and method, of everything that the application answers."""
    contexts = iter_route_contexts(create_app(lambda: None).routes)
    return sorted({(context.path, method) for context in contexts for method in context.methods})


def protected():
    return [(path, method) for path, method in routes() if POLICIES.get(path, Scope.ADMIN) is not PUBLIC]


def test_every_route_has_a_policy_and_every_policy_a_route():
    assert {path for path, _ in routes()} == set(POLICIES)


def test_every_route_that_is_not_public_checks_the_key_itself():
    for context in iter_route_contexts(create_app(lambda: None).routes):
        if POLICIES[context.path] is not PUBLIC:
            assert isinstance(context.original_route, APIRoute), f"{context.path}: only FastAPI's routes run the check"
            assert check_key in [needed.dependency for needed in context.dependencies], context.path


def test_every_call_of_grpc_has_a_policy():
    assert {name for name in vars(GrpcDoor) if name[0].isupper()} == set(GRPC_POLICIES)


async def test_no_route_answers_without_a_key_or_to_the_key_of_another_workspace(client, keys):
    other = keys.make(workspace="bolts", scope=Scope.ADMIN)
    for path, method in protected():
        for key in ({}, bearer(other)):
            answer = await client.request(method, address(path), headers=key)
            assert answer.status_code == 401, path
            assert "Unauthorized api_key" in answer.text, path
            assert "x-workspace-id" not in answer.headers, path


async def test_a_key_of_the_scope_passes_and_one_for_less_does_not(client, keys):
    made = {scope: keys.make(scope=scope) for scope in Scope}
    for path, method in protected():
        for scope, key in made.items():
            answer = await client.request(method, address(path), headers=bearer(key))
            if list(Scope).index(scope) < list(Scope).index(POLICIES[path]):
                assert answer.status_code == 403, path
                assert f"this key has the scope {scope}; what is asked needs {POLICIES[path]}" in answer.text, path
            else:  # what is asked is nonsense, and refused for that; workspaces of paths are another matter, see below
                assert answer.status_code != 403, path
                assert answer.status_code != 401 or "{workspace}" in path, path


async def test_no_method_gets_anything_without_a_key(client):
    declared = set(routes())
    for path in {path for path, _ in declared}:
        for method in METHODS:
            answer = await client.request(method, address(path))
            if POLICIES[path] is PUBLIC and (path, method) in declared:
                assert answer.status_code in (200, 503), (path, method)  # not ready
            else:
                assert answer.status_code in (401, 405), (path, method)
                assert len(answer.content) < 200, (path, method)


async def test_a_preflight_carries_no_key_and_needs_none(client):
    answer = await client.options(
        "/workflows/run",
        headers={"origin": "https://shop.example", "access-control-request-method": "POST"},
    )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")


async def test_a_route_without_a_policy_lets_nobody_in(app, client, keys):
    app.add_api_route("/new/route/of/somebody", lambda: "secret", methods=["GET"])
    answer = await client.get("/new/route/of/somebody", headers=bearer(keys.make(scope=Scope.ADMIN)))
    assert (answer.status_code, answer.json()["message"]) == (403, "no key is good for this route")


def bearer(key):
    return {"authorization": f"Bearer {key}"}


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda key: {"params": {"api_key": key}}, 200),
        (lambda key: {"headers": {"authorization": f"Bearer {key}"}}, 200),
        (lambda key: {"headers": {"Authorization": f"bearer  {key} "}}, 200),
        (lambda key: {"json": {"api_key": key, "model_id": "plates/1"}}, 200),
        # The query wins over the bearer, and both over the body.
        (lambda key: {"params": {"api_key": key}, "headers": {"authorization": "Bearer nonsense"}}, 200),
        (lambda key: {"params": {"api_key": "nonsense"}, "headers": {"authorization": f"Bearer {key}"}}, 401),
        (lambda key: {"params": {"api_key": key}, "json": {"api_key": "nonsense", "model_id": "plates/1"}}, 200),
        (lambda key: {"params": {"api_key": "nonsense"}, "json": {"api_key": key, "model_id": "plates/1"}}, 401),
        # What clients send that have none.
        (lambda key: {"params": {"api_key": "None"}, "headers": {"authorization": f"Bearer {key}"}}, 200),
        (lambda key: {"params": {"api_key": ""}, "json": {"api_key": key, "model_id": "plates/1"}}, 200),
        (lambda key: {"params": {"api_key": "None"}}, 401),
        (lambda key: {"headers": {"authorization": "Bearer None"}}, 401),
        # Places where no key travels.
        (lambda key: {"headers": {"authorization": f"Basic {key}"}}, 401),
        (lambda key: {"headers": {"authorization": key}}, 401),
        (lambda key: {"headers": {"x-api-key": key}}, 401),
        (lambda key: {"headers": {"cookie": f"api_key={key}"}}, 401),
        (lambda key: {"data": {"api_key": key}}, 401),
        (lambda key: {"headers": {"content-type": "text/plain"}, "content": f'{{"api_key": "{key}"}}'}, 401),
        (lambda key: {"json": {"api_key": [key]}}, 401),
        (lambda key: {"json": [{"api_key": key}]}, 401),
        (lambda key: {"json": {"inputs": {"api_key": key}}}, 401),
        (lambda key: {"headers": JSON, "content": f'{{"api_key": "{key}"'}, 401),
        (lambda key: {"headers": JSON, "content": b""}, 401),
        # Nearly the key.
        (lambda key: {"params": {"api_key": key[:-1]}}, 401),
        (lambda key: {"params": {"api_key": key.upper()}}, 401),
        (lambda key: {"params": {"api_key": f"{key}x"}}, 401),
        (lambda key: {"params": {"api_key": f" {key}"}}, 401),
        (lambda key: {"params": {"api_key": f"{key}\0"}}, 401),
    ],
)
async def test_where_a_key_may_travel(client, keys, send, status):
    told = send(keys.make())
    told.setdefault("json", {"model_id": "plates/1"} if not {"content", "data"} & told.keys() else None)
    answer = await client.post("/model/add", **told)
    assert answer.status_code == status, answer.text
    if status == 401:
        assert answer.json() == UNAUTHORIZED
    else:
        assert answer.headers["x-workspace-id"] == "acme"


@pytest.mark.parametrize("wrong", ["revoked", "expired", "unknown", "of another workspace"])
async def test_why_a_key_is_refused_is_not_said(client, keys, wrong):
    key = keys.make(workspace="bolts" if wrong == "of another workspace" else "acme")
    if wrong == "revoked":
        keys.revoke(key)
    elif wrong == "expired":
        key = keys.make(expires_unix_s=1.0)
    elif wrong == "unknown":
        key = key[:-4] + "AAAA"
    answer = await client.get("/model/registry", params={"api_key": key})
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_saved_workflows_are_for_keys_of_their_workspace(backend, settings, keys, client, tmp_path):
    (tmp_path / "bolts").mkdir()
    (tmp_path / "bolts" / "secret.json").write_text("{}")
    (tmp_path / "common.json").write_text("{}")
    key = {"api_key": keys.make()}
    for path in ("/{}/workflows/{}", "/infer/workflows/{}/{}", "/{}/workflows/{}/describe_interface"):
        other = await client.post(path.format("bolts", "secret"), json=key | {"inputs": {}})
        missing = await client.post(path.format("bolts", "missing"), json=key | {"inputs": {}})
        assert (other.status_code, other.json()) == (missing.status_code, missing.json())
        assert other.status_code == 401
        own = await client.post(path.format("acme", "plates"), json=key | {"inputs": {"image": {}}})
        assert own.status_code in (200, 400)
        common = await client.post(path.format("local", "common"), json=key | {"inputs": {}})
        assert common.status_code == 400  # found, and no workflow
        unknown = await client.post(path.format("acme", "plate"), json=key | {"inputs": {}})
        assert unknown.status_code == 404
        assert "acme/plates" in unknown.text
        assert "bolts" not in unknown.text


async def test_keys_that_cannot_be_looked_at_let_nobody_in_and_say_not_where_they_are(client, keys):
    keys.away = True
    answer = await client.get("/model/registry", params={"api_key": keys.make()})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"message": "API keys cannot be checked at the moment; try again"}


async def test_a_thousand_requests_cost_one_look_at_the_keys(client, keys):
    key = keys.make()
    for _ in range(100):
        assert (await client.get("/model/registry", params={"api_key": key})).status_code == 200
    assert len(keys.looks) <= 2  # a slow machine may look again after a second and a half


async def test_no_key_is_looked_for_where_none_is_asked_for(backend, settings):
    def opened():
        raise AssertionError("nobody needs keys here")

    service = WorkflowService(backend, settings, key_source=opened)
    app = create_app(lambda: service)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://server") as client:
        for key in ("", "None", "anything"):
            answer = await client.get("/model/registry", params={"api_key": key})
            assert answer.status_code == 200
            assert "x-workspace-id" not in answer.headers


@pytest.mark.parametrize("failure", [RuntimeError("boom"), OverloadedError("full"), KeyError("boom")])
async def test_no_key_gets_into_logs_answers_or_metrics(client, keys, backend, failure, image, caplog):
    caplog.set_level(logging.DEBUG)
    good, wrong = keys.make(scope=Scope.ADMIN), keys.make(workspace="bolts")
    said = []
    for key in (good, wrong):
        body = {"api_key": key, "specification": SPECIFICATION, "inputs": {"image": image}}
        said.append(await client.post("/workflows/run", json=body))
        said.append(await client.post("/workflows/run", json={"api_key": key, "inputs": 7}))  # 422
        said.append(await client.post("/workflows/run", headers=bearer(key), content=b"{"))
        said.append(await client.get(f"/plates/1?api_key={key}&image=x"))
        said.append(await client.get(f"/no/such/path?api_key={key}"))
        backend.error = failure
        said.append(await client.post("/infer/object_detection", json=body | {"model_id": "plates/1", "image": image}))
    said.append(await client.get("/metrics"))
    assert {answer.status_code for answer in said} >= {200, 401}
    formatter = logging.Formatter("%(message)s %(exc_info)s")
    told = "\n".join(
        [formatter.format(record) + repr(vars(record)) for record in caplog.records if record.name != "httpx"]
        + [answer.text + repr(answer.headers) for answer in said]
    )
    for key in (good, wrong):
        assert key.split("_", 2)[2] not in told
    assert good.split("_")[1] in told  # its id is there, for whoever asks which key it was


async def test_blocks_are_described_to_a_key_in_the_body_and_to_one_beside_none(client, keys):
    key = keys.make()
    answers = [
        await client.post("/workflows/blocks/describe", json={"api_key": key}),
        await client.post("/workflows/blocks/describe", headers=bearer(key)),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(answer.json()["blocks"] for answer in answers)
