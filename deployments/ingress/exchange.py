"""What is known of one request from its first byte to its last, and the middleware that keeps it.

The middleware refuses bodies that are too large and requests that there is no room for, stamps the standing headers on
every answer, turns what nobody foresaw into a 500, and leaves one line in the log. It sees bytes, never their meaning.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.dataplane.admission import Admission, Ticket
from deployments.dataplane.backend import Work
from deployments.errors import InvalidRequestError, PayloadTooLargeError, ServingError
from deployments.ingress.errors import CLIENT_CLOSED_REQUEST, ClientClosedError, response_for
from deployments.ingress.headers import request_id_of, standing_headers
from deployments.ingress.timeout_header import timeout_s_of
from deployments.observability import metrics
from deployments.settings import IngressSettings
from workflows.errors import DeadlineExceededError

logger = logging.getLogger("deployments.ingress.access")

Answer = TypeVar("Answer")

UNMATCHED = "unmatched"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        request_id: the client's own, or a fresh one.
        started_s: `time.perf_counter` at its first byte.
        work: what its work left behind; None until a route begins some.
        workflow_id: name of the saved workflow it ran.
        workspace: whose key it carries; None where keys are not asked for.
        key_id: which key that is.
        status: of the answer; 0 until there is one.
        error: class name of what went wrong.
        ticket: its place among those in flight; None for a request that needs none.
    """

    request_id: str
    started_s: float = field(default_factory=time.perf_counter)
    work: Work | None = None
    workflow_id: str | None = None
    workspace: str | None = None
    key_id: str | None = None
    status: int = 0
    error: str | None = None
    ticket: Ticket | None = None

    def admit(
        self, admission: Admission, size_bytes: int = 0, *, client: str | None = None, timeout_s: float = math.inf
    ) -> None:
        """Take a place among the requests in flight, unless it has one; see `Admission.enter`."""
        if self.ticket is None:
            self.ticket = admission.enter(size_bytes, client=client, timeout_s=timeout_s)

    @property
    def took_its_way(self) -> bool:
        """Whether its time says how fast requests are: its work was done, and no model was loaded for it."""
        return 200 <= self.status < 300 and self.work is not None and not self.work.model_loads

    @property
    def elapsed_s(self) -> float:
        """Time since the first byte."""
        return time.perf_counter() - self.started_s


def exchange_of(request: Request) -> Exchange:
    """The exchange a request belongs to."""
    exchange: Exchange = request.state.exchange
    return exchange


async def while_connected(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of `work`, which is cancelled when the client hangs up or this call is cancelled.

    The body must have been read before: what is listened for is the end of the connection.

    Raises:
        ClientClosedError: the client hung up.
    """
    worker = asyncio.current_task()
    assert worker is not None  # a coroutine runs in one
    hung_up = False

    async def give_up() -> None:
        nonlocal hung_up
        with suppress(Exception):  # of a connection that cannot be listened to, nobody is at the other end
            while (await request.receive())["type"] != "http.disconnect":
                pass
        hung_up = True
        worker.cancel()

    listening = asyncio.create_task(give_up())
    try:
        return await work
    except asyncio.CancelledError:
        if not hung_up or worker.uncancel():  # somebody else wants it to end
            raise
        raise ClientClosedError("the client closed the connection") from None
    finally:
        listening.cancel()


class ExchangeMiddleware:
    """Keeps the exchange of every HTTP request."""

    def __init__(
        self, app: ASGIApp, settings: Callable[[], IngressSettings], admission: Callable[[], Admission]
    ) -> None:
        """Both are asked at each request: they may exist later than the application."""
        self._app = app
        self._settings = settings
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        exchange = Exchange(request_id=request_id_of(headers.get("x-request-id")))
        scope.setdefault("state", {})["exchange"] = exchange
        settings, admission = self._settings(), self._admission()

        async def stamped_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                stamp = standing_headers(exchange.request_id, exchange.work, exchange.workflow_id, exchange.elapsed_s)
                if exchange.workspace is not None:
                    stamp["X-Workspace-Id"] = exchange.workspace
                MutableHeaders(scope=message).update(stamp)
            await send(message)

        metrics.http_requests_in_flight.inc()
        try:
            await self._answer(scope, receive, stamped_send, headers, settings, admission)
        except asyncio.CancelledError:
            exchange.status = exchange.status or CLIENT_CLOSED_REQUEST
            raise
        except Exception as error:
            exchange.error = type(error).__name__
            if exchange.status:  # half an answer is out: only cutting the connection says so
                raise
            await response_for(error)(scope, receive, stamped_send)
        finally:
            metrics.http_requests_in_flight.dec()
            if exchange.ticket is not None:
                admission.leave(exchange.ticket, answered=exchange.took_its_way)
            _record(scope, exchange, log=settings.log_requests)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Headers,
        settings: IngressSettings,
        admission: Admission,
    ) -> None:
        exchange: Exchange = scope["state"]["exchange"]
        max_body_bytes = settings.max_body_bytes
        too_large = PayloadTooLargeError(f"the request body is larger than the {max_body_bytes} bytes accepted here")
        announced = headers.get("content-length", "")
        announced_bytes = int(announced) if announced.isascii() and announced.isdigit() else 0
        allowed = settings.default_timeout_s
        try:
            if announced_bytes > max_body_bytes:
                raise too_large
            if announced_bytes or "transfer-encoding" in headers:
                allowed = allowed_s(headers, settings)
                exchange.admit(
                    admission,
                    admission.limits.memory_bytes(announced_bytes),
                    client=None if admission.limits.max_in_flight_per_client is None else sender_of(scope, headers),
                    timeout_s=allowed,
                )
        except ServingError as error:
            response = response_for(error)
            if isinstance(error, PayloadTooLargeError):
                response.headers["Connection"] = "close"  # the rest of the body is not worth reading
            # Else the server reads the rest and throws it away: a connection cut in the middle of its body would take
            # the answer with it, and with the answer the time at which to come again.
            exchange.error = type(error).__name__
            await response(scope, receive, send)
            return
        read_bytes, is_read = 0, exchange.ticket is None
        until_s = asyncio.get_running_loop().time() + min(allowed, settings.default_timeout_s)

        async def counted_receive() -> Message:
            nonlocal read_bytes, is_read
            message = await (receive() if is_read else _received_until(until_s, receive))
            is_read = is_read or not message.get("more_body", False)
            if message["type"] == "http.request":
                read_bytes += len(message.get("body", b""))
                if read_bytes > max_body_bytes:
                    raise too_large
                if exchange.ticket is not None:
                    admission.grow(exchange.ticket, admission.limits.memory_bytes(read_bytes))
            return message

        await self._app(scope, counted_receive, send)


async def _received_until(until_s: float, receive: Receive) -> Message:
    """The next part of a body: who announces one and sends nothing holds a place that others need.

    Raises:
        DeadlineExceededError: it did not come.
    """
    try:
        async with asyncio.timeout_at(until_s):
            return await receive()
    except TimeoutError as error:
        raise DeadlineExceededError("the request's time was over before all of its body had come") from error


def sender_of(scope: Scope, headers: Headers) -> str | None:
    """Who sent a request, by what is known before its body: the bearer token, else the key in the query."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return QueryParams(scope["query_string"]).get("api_key") or None


def allowed_s(headers: Headers, settings: IngressSettings) -> float:
    """The time that a request has; a header that makes no sense is the route's to refuse."""
    try:
        return timeout_s_of(headers) or settings.default_timeout_s
    except InvalidRequestError:
        return settings.default_timeout_s


def _record(scope: Scope, exchange: Exchange, *, log: bool) -> None:
    elapsed_ms = exchange.elapsed_s * 1000
    route = getattr(scope.get("route"), "path", UNMATCHED)
    metrics.record_request(scope["method"], route, exchange.status, elapsed_ms)
    work = exchange.work
    if work is not None:
        for timing in work.timings:
            metrics.record_step(timing.queue_ms, timing.transfer_ms, timing.compute_ms)
    if not log:
        return
    error = exchange.error or getattr(scope["state"].get("error"), "__class__", type(None)).__name__
    logger.info(
        "request",
        extra={
            "request_id": exchange.request_id,
            "method": scope["method"],
            "path": scope["path"],
            "status": exchange.status,
            "latency_ms": round(elapsed_ms, 1),
            "workflow": exchange.workflow_id,
            "workspace": exchange.workspace,
            "key_id": exchange.key_id,
            "models": sorted(work.model_ids) if work is not None else [],
            "error": None if error == "NoneType" else error,
        },
    )
