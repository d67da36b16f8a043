"""The short way of a request into our application: from a replica's HTTP server straight to it, past Serve's wrapper.

Serve lets a function add middlewares to the HTTP server of each replica; ours hands on what the application would be
handed anyway, and nothing of what Serve keeps beside it is needed here: the ingress admits, cancels, times, counts and
logs requests itself. A request costs 0.3 ms less. Serve's own paths, WebSockets and whatever comes before the
application has told where it is take the long way.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

LOOKED_AT_EVERY_S = 5.0
"""How long it is believed where the application is: Serve may give a running one another path."""

SERVES_OWN = "/-/"
"""Paths at which Serve says whether a replica is well."""


@dataclass(slots=True)
class _Whereabouts:
    """Of the application of this process.

    Attributes:
        app: the application.
        root_path: what stands before its paths.
        loop: where it runs.
        until_s: `time.monotonic` until which this is believed.
    """

    app: ASGIApp
    root_path: str
    loop: asyncio.AbstractEventLoop
    until_s: float


_known: _Whereabouts | None = None


class Reachable:
    """An application that tells where it is whenever Serve hands it a request.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        global _known
        if scope["type"] == "http":
            until_s = time.monotonic() + LOOKED_AT_EVERY_S
            _known = _Whereabouts(self._app, scope.get("root_path", ""), asyncio.get_running_loop(), until_s)
        await self._app(scope, receive, send)


class ShortWay:
    """The middleware.

    Args:
        serve: the long way.
    """

    def __init__(self, serve: ASGIApp) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        known = _known
        if (
            known is None
            or scope["type"] != "http"
            or time.monotonic() > known.until_s
            or known.loop is not asyncio.get_running_loop()
            or not scope["path"].startswith(f"{known.root_path}/")
            or scope["path"].startswith(f"{known.root_path}{SERVES_OWN}")
        ):
            await self._serve(scope, receive, send)
            return
        scope["root_path"] = known.root_path
        await known.app(scope, receive, send)


def middlewares() -> list[Middleware]:
    """For `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`."""
    return [Middleware(ShortWay)]
