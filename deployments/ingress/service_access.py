"""How routes reach the service behind them, and begin work on it."""

from __future__ import annotations

import math
from collections.abc import Callable

from starlette.requests import Request

from deployments.dataplane.backend import Work
from deployments.dataplane.service import WorkflowService
from deployments.errors import InvalidRequestError
from deployments.ingress.bodies import absent_key
from deployments.ingress.exchange import exchange_of

ServiceProvider = Callable[[], WorkflowService]

TIMEOUT_HEADER = "x-request-timeout-seconds"
EDGE_TIMEOUT_HEADER = "x-sightline-timeout-seconds"
"""What the edge makes of the former: Serve would end the request by itself, in plain text."""


def service_of(request: Request) -> WorkflowService:
    """The service that answers this request."""
    provider: ServiceProvider = request.app.state.service_provider
    return provider()


def begin_work(request: Request) -> Work:
    """Work of this request, with the deadline that its header asks for.

    Raises:
        InvalidRequestError: the header holds no positive number.
    """
    exchange = exchange_of(request)
    exchange.work = service_of(request).begin(exchange.request_id, _timeout_s(request))
    return exchange.work


def _timeout_s(request: Request) -> float | None:
    sent = request.headers.get(EDGE_TIMEOUT_HEADER) or request.headers.get(TIMEOUT_HEADER)
    if sent is None:
        return None
    try:
        timeout_s = float(sent)
    except ValueError:
        timeout_s = math.nan
    if not (0 < timeout_s < math.inf):
        raise InvalidRequestError(
            f"the header {TIMEOUT_HEADER} must be a positive number of seconds, not {sent[:40]!r}"
        )
    return timeout_s


def key_of(request: Request, body_key: str | None = None) -> str | None:
    """The key a request carries: as bearer token, else in its body, else in its query."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    for key in (bearer, body_key, request.query_params.get("api_key")):
        if key is not None and (present := absent_key(key)) is not None:
            return str(present)
    return None
