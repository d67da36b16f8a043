"""What is answered at hosts of endpoints that answer nothing themselves: 503 with their state, as the edge does."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

STARTING = "pending"
RETRY_STARTING_S = 5
RETRY_RESTING_S = 60


class RestingHosts:
    """In front of the control plane's HTTP: hosts of endpoints never reach it.

    Attributes:
        states: whole host -> state, of those that rest.
    """

    def __init__(self, domain: str, own_host: str) -> None:
        """Nothing rests.

        Args:
            domain: below which endpoints are.
            own_host: the one below it that is the control plane's own.
        """
        self.states: Mapping[str, str] = {}
        self._below = f".{domain}"
        self._own_host = own_host

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application, for those who do not mean an endpoint."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            answer = self.answer(Headers(scope=scope).getlist("host")) if scope["type"] == "http" else None
            await (answer or app)(scope, receive, send)

        return guarded

    def answer(self, hosts: list[str]) -> Response | None:
        """What is said to a request for these hosts; None when it is the control plane's own to answer."""
        host = hosts[0].rsplit(":", 1)[0].rstrip(".").lower() if len(hosts) == 1 else ""
        if not host or "," in host:
            return JSONResponse({"message": "a request names exactly one host"}, status_code=400)
        state = self.states.get(host)
        if state == STARTING:
            message = f"the endpoint {host} is starting; try again"
        elif state is not None:
            message = f"the endpoint {host} is {state}; its owner can resume it"
        elif host.endswith(self._below) and host != self._own_host:
            return JSONResponse({"message": "no endpoint has this name"}, status_code=404)
        else:
            return None
        retry_s = RETRY_STARTING_S if state == STARTING else RETRY_RESTING_S
        return JSONResponse(
            {"message": message, "status": state}, status_code=503, headers={"Retry-After": str(retry_s)}
        )
