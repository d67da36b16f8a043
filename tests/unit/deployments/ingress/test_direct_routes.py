"""Routes that are called without the framework: what they answer is what it would answer."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from deployments.errors import InvalidRequestError
from deployments.ingress.app import ROUTERS
from deployments.ingress.direct_routes import DirectRoutesMiddleware, direct_routes
from deployments.ingress.errors import add_error_handlers

router = APIRouter()


@router.get("/first/{name}")
async def framework_first(name: str, shown: str = "nothing") -> Response:
    return PlainTextResponse(f"framework {name} {shown}")


@router.get("/first/fixed")
async def shadowed(request: Request) -> Response:
    return PlainTextResponse("shadowed")


@router.get("/plain/{name}")
async def plain(request: Request, name: str) -> Response:
    return PlainTextResponse(f"{name} {request.path_params} {request.scope['route'].path}")


@router.get("/plain/fixed")
async def behind_plain() -> Response:
    return PlainTextResponse("never reached")


@router.get("/number/{count}")
async def number(count: int) -> Response:
    return PlainTextResponse(f"{count + 1}")


@router.get("/value")
async def value() -> dict[str, int]:
    return {"a": 1}


@router.post("/fails")
async def fails(request: Request) -> Response:
    raise InvalidRequestError("this is wrong")


@pytest.fixture
def handed_on():
    """Paths that the framework was asked for."""
    return []


@pytest.fixture
async def client(handed_on):
    framework = FastAPI()
    framework.include_router(router)
    add_error_handlers(framework)

    async def counting(scope, receive, send):
        handed_on.append(scope["path"])
        await framework(scope, receive, send)

    async def check(request):
        if "stop" in request.query_params:
            raise InvalidRequestError(f"stopped at {request.scope['route'].path}")

    app = DirectRoutesMiddleware(counting, router.routes, check)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://server") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "text", "direct"),
    [
        ("/plain/x", "x {'name': 'x'} /plain/{name}", True),
        ("/plain/fixed", "fixed {'name': 'fixed'} /plain/{name}", True),
        ("/plain/a%20b", "a b {'name': 'a b'} /plain/{name}", True),
        ("/first/fixed", "framework fixed nothing", False),
        ("/first/x?shown=y", "framework x y", False),
        ("/number/4", "5", False),
        ("/value", '{"a":1}', False),
    ],
)
async def test_the_first_route_of_a_path_answers_by_whichever_way_it_takes(client, handed_on, path, text, direct):
    assert (await client.get(path)).text == text
    assert bool(handed_on) is not direct


@pytest.mark.parametrize(
    ("method", "path", "status"), [("PUT", "/plain/x", 405), ("GET", "/plain/", 404), ("GET", "/x", 404)]
)
async def test_what_no_route_takes_is_the_frameworks_to_refuse(client, handed_on, method, path, status):
    assert (await client.request(method, path)).status_code == status
    assert handed_on == [path]


async def test_an_error_has_the_answer_that_it_has_everywhere(client, handed_on):
    answer = await client.post("/fails")
    assert (answer.status_code, answer.json()) == (400, {"message": "this is wrong"})
    assert handed_on == []


async def test_the_check_comes_first_and_knows_the_route(client):
    answer = await client.get("/plain/x?stop=1")
    assert (answer.status_code, answer.json()) == (400, {"message": "stopped at /plain/{name}"})


async def test_what_the_framework_was_mounted_below_is_no_part_of_a_path():
    app = DirectRoutesMiddleware(PlainTextResponse("framework"), router.routes, lambda _: _nothing())
    transport = httpx.ASGITransport(app=app, root_path="/endpoint")
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        assert (await client.get("/endpoint/plain/x")).text.startswith("x ")
        assert (await client.get("/endpointplain/x")).text == "framework"
        assert (await client.get("/plain/x")).text == "framework"


async def _nothing():
    pass


def test_the_routes_of_workflows_and_models_are_direct():
    found = direct_routes(route for router in ROUTERS for route in router.routes)
    direct = {(method, each.route.path) for each in found if each.is_plain for method in each.route.methods}
    assert {("POST", "/workflows/run"), ("POST", "/{workspace}/workflows/{workflow_id}")} < direct
    assert {("POST", "/infer/object_detection"), ("GET", "/healthz")} < direct
    assert ("POST", "/v2/models/{name:path}/infer") not in direct  # answers errors in words of its own
