"""How routes reach the service behind them, and begin work on it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from deployments.dataplane.backend import Work
from deployments.dataplane.service import WorkflowService
from deployments.ingress.exchange import exchange_of
from deployments.ingress.sent_key import absent_key
from deployments.ingress.timeout_header import timeout_s_of

ServiceProvider = Callable[[], WorkflowService]


def service_of(request: Request) -> WorkflowService:
    """The service that answers this request."""
    provider: ServiceProvider = request.app.state.service_provider
    return provider()


def begin_work(request: Request) -> Work:
    """Work of this request, with the deadline that its header asks for.

    Raises:
        InvalidRequestError: the header holds no positive number.
        OverloadedError: there is no room for more.
    """
    exchange = exchange_of(request)
    service = service_of(request)
    timeout_s = timeout_s_of(request.headers)
    exchange.admit(service.admission, timeout_s=timeout_s or service.settings.default_timeout_s)
    exchange.work = service.begin(exchange.request_id, timeout_s, exchange.ticket)
    return exchange.work


def key_of(request: Request, body_key: str | None = None) -> str | None:
    """The key a request carries: as bearer token, else in its body, else in its query."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    for key in (bearer, body_key, request.query_params.get("api_key")):
        if key is not None and (present := absent_key(key)) is not None:
            return str(present)
    return None
