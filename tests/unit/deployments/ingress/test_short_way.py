"""Which requests go past Serve, and which do not."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import httpx
import pytest
from starlette.responses import PlainTextResponse

from deployments.ingress import short_way
from deployments.ingress.short_way import LOOKED_AT_EVERY_S, Reachable, middlewares


class Replica:
    """What a replica of Serve makes of one application, as its `_direct_ingress_asgi` does."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.asked: list[str] = []
        self.app = Reachable(self._answer)
        (middleware,) = middlewares()
        self.http = middleware.cls(self._serve, *middleware.args, **middleware.kwargs)

    async def _answer(self, scope, receive, send):
        await PlainTextResponse(scope["root_path"])(scope, receive, send)

    async def _serve(self, scope, receive, send):
        self.asked.append(scope["path"])
        if scope["path"].startswith("/-/") or not scope["path"].startswith(self.prefix):
            await PlainTextResponse("Serve's own")(scope, receive, send)
            return
        scope["root_path"] = self.prefix
        await self.app(scope, receive, send)

    async def get(self, path: str) -> str:
        transport = httpx.ASGITransport(app=self.http)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return (await client.get(path)).text


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Seconds that have gone by."""
    now = [1000.0]
    monkeypatch.setattr(short_way, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(short_way, "_known", None)
    return now


@pytest.mark.parametrize("prefix", ["", "/endpoint"])
async def test_serve_is_asked_once_and_then_passed_by(prefix):
    replica = Replica(prefix)
    assert [await replica.get(f"{prefix}/info") for _ in range(5)] == [prefix] * 5
    assert replica.asked == [f"{prefix}/info"]


@pytest.mark.parametrize("path", ["/-/healthz", "/-/routes", "/other/info", "/endpointinfo", "/endpoint"])
async def test_other_paths_are_serves(path):
    replica = Replica("/endpoint")
    await replica.get("/endpoint/info")
    await replica.get(path)
    assert replica.asked == ["/endpoint/info", path]


async def test_another_prefix_is_noticed(clock):
    replica = Replica("")
    await replica.get("/endpoint/info")
    replica.prefix = "/endpoint"
    clock[0] += LOOKED_AT_EVERY_S + 0.1
    assert await replica.get("/endpoint/info") == "/endpoint"
    assert await replica.get("/endpoint/info") == "/endpoint"
    assert len(replica.asked) == 2


async def test_an_application_that_runs_in_another_loop_is_left_to_serve():
    replica = Replica("")
    elsewhere = threading.Thread(target=asyncio.run, args=(replica.get("/info"),))
    elsewhere.start()
    elsewhere.join()
    await replica.get("/info")
    assert replica.asked == ["/info", "/info"]


async def test_a_process_without_an_application_has_only_the_long_way():
    replica = Replica("")
    await replica.get("/-/healthz")
    await replica.get("/-/healthz")
    assert len(replica.asked) == 2
