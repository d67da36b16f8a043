"""The control plane's HTTP: ten calls in the shapes of the vendor's client, and two more; errors are plain text."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from deployments.control import errors
from deployments.control.access import Access, Principal
from deployments.control.bodies import (
    AddBody,
    Named,
    ResizeBody,
    UpdateBody,
    endpoint_body,
    iso,
    machine_type_body,
)
from deployments.control.endpoint import Endpoint
from deployments.control.logs import MAX_ENTRIES, log_entries
from deployments.control.service import HOUR_S, EndpointService
from deployments.edge.config import UNKNOWN_HOST_PATH
from deployments.errors import ServingError
from deployments.storage.database import Database
from deployments.storage.errors import NameTakenError, NotStoredError, StorageUnavailableError
from deployments.storage.events import events
from deployments.storage.usage import UsageInterval

logger = logging.getLogger(__name__)

DAY_S = 24 * HOUR_S
MAX_BODY_BYTES = 256 * 1024

STATUSES: dict[type[Exception], int] = {
    errors.UnknownMachineTypeError: 400,
    errors.InvalidEndpointError: 400,
    errors.EndpointNotFoundError: 404,
    errors.EndpointConflictError: 409,
    NameTakenError: 409,
    NotStoredError: 404,
    StorageUnavailableError: 503,
    errors.PlatformError: 503,
}

Body = TypeVar("Body", bound=Named)


class RefusedError(Exception):
    """The request ends here, with a status and a text."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status


def create_control_app(service: EndpointService, access: Access, database: Database, log_root: Path | None) -> FastAPI:
    """The application.

    Args:
        service: the endpoints.
        access: knows keys.
        database: for events.
        log_root: below which revisions of endpoints have folders of logs.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    async def who(request: Request, key: str | None, *, manages: bool = False) -> Principal:
        principal = await run_in_threadpool(access.principal, key or _key_beside(request))
        if principal is None:
            raise RefusedError("Unauthorized api_key", 401)
        if manages and not principal.may_manage:
            raise RefusedError("this key may not manage endpoints; use one of the scope manage or admin", 403)
        return principal

    async def read(request: Request, kind: type[Body]) -> Body:
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > MAX_BODY_BYTES:
                raise RefusedError(f"the body has more than {MAX_BODY_BYTES} bytes", 413)
        try:
            return kind.model_validate_json(bytes(raw))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, p['loc']))}: {p['msg'].removeprefix('Value error, ')}" for p in error.errors()[:10]
            )
            raise RefusedError(problems, 400) from error

    def shown(endpoint: Endpoint) -> Response:
        return JSONResponse(endpoint_body(endpoint, service.domain))

    @app.get("/machine_types")
    async def machine_types(request: Request, api_key: str | None = None) -> Response:
        await who(request, api_key)
        return JSONResponse({"machine_types": [machine_type_body(kind) for kind in service.machine_types]})

    @app.post("/add")
    async def add(request: Request) -> Response:
        body = await read(request, AddBody)
        principal = await who(request, body.api_key, manages=True)
        return shown(await run_in_threadpool(service.add, principal.workspace, body))

    @app.get("/get")
    async def get(request: Request, deployment_name: str, api_key: str | None = None) -> Response:
        principal = await who(request, api_key)
        return shown(await run_in_threadpool(service.get, principal.workspace, deployment_name))

    @app.get("/list")
    async def list_all(
        request: Request, api_key: str | None = None, show_expired: str = "false", show_deleted: str = "false"
    ) -> Response:
        principal = await who(request, api_key)
        found = await run_in_threadpool(service.all_of, principal.workspace, deleted=show_deleted.lower() == "true")
        expired = show_expired.lower() == "true"
        bodies = [endpoint_body(endpoint, service.domain) for endpoint in found]
        return JSONResponse({"deployments": [b for b in bodies if expired or b["status"] != "expired"]})

    def change(path: str, do: Callable[[str, str], Endpoint]) -> None:
        async def route(request: Request) -> Response:
            body = await read(request, Named)
            principal = await who(request, body.api_key, manages=True)
            return shown(await run_in_threadpool(do, principal.workspace, body.deployment_name))

        app.add_api_route(path, route, methods=["POST"])

    change("/pause", service.pause)
    change("/resume", service.resume)
    change("/delete", service.delete)

    @app.post("/resize")
    async def resize(request: Request) -> Response:
        body = await read(request, ResizeBody)
        principal = await who(request, body.api_key, manages=True)
        numbers = (body.min_replicas, body.max_replicas)
        return shown(await run_in_threadpool(service.resize, principal.workspace, body.deployment_name, *numbers))

    @app.post("/update")
    async def update(request: Request) -> Response:
        body = await read(request, UpdateBody)
        principal = await who(request, body.api_key, manages=True)
        args = body.config.args()
        return shown(await run_in_threadpool(service.update, principal.workspace, body.deployment_name, args))

    @app.get("/usage_workspace")
    async def usage_workspace(
        request: Request, api_key: str | None = None, from_timestamp: str | None = None, to_timestamp: str | None = None
    ) -> Response:
        principal = await who(request, api_key)
        span = _span(from_timestamp, to_timestamp, DAY_S)
        used = await run_in_threadpool(service.usage, principal.workspace, *span)
        return JSONResponse(_usage_body(principal.workspace, span, used))

    @app.get("/usage_deployment")
    async def usage_deployment(
        request: Request,
        deployment_name: str,
        api_key: str | None = None,
        from_timestamp: str | None = None,
        to_timestamp: str | None = None,
    ) -> Response:
        principal = await who(request, api_key)
        span = _span(from_timestamp, to_timestamp, DAY_S)
        endpoint = await run_in_threadpool(service.get, principal.workspace, deployment_name)
        used = await run_in_threadpool(service.usage, principal.workspace, *span)
        of_it = [(other, rows) for other, rows in used if other.endpoint_id == endpoint.endpoint_id]
        return JSONResponse(_usage_body(principal.workspace, span, of_it))

    @app.get("/get_log")
    async def get_log(
        request: Request,
        deployment_name: str,
        api_key: str | None = None,
        from_timestamp: str | None = None,
        to_timestamp: str | None = None,
        max_entries: int = 100,
    ) -> Response:
        principal = await who(request, api_key)
        first, last = _span(from_timestamp, to_timestamp, HOUR_S)
        limit = min(max(max_entries, 1), MAX_ENTRIES)

        def entries() -> list[dict[str, Any]]:
            endpoint = service.get(principal.workspace, deployment_name)
            with database.reading() as session:
                told = events(session, endpoint.endpoint_id, from_unix_s=first, to_unix_s=last, limit=limit)
            # The folders are called after the subdomain, which may have been another endpoint's before.
            since = max(first, endpoint.created_unix_s)
            return log_entries(log_root, endpoint.subdomain, told, from_unix_s=since, to_unix_s=last, limit=limit)

        return JSONResponse(await run_in_threadpool(entries))

    @app.get(UNKNOWN_HOST_PATH)
    async def unknown_host(request: Request) -> Response:
        """404 for a host that leads nowhere, with what the key may see."""
        message: dict[str, Any] = {
            "message": f"no endpoint answers at {request.headers.get('x-sightline-host', '')[:253]}"
        }
        principal = await run_in_threadpool(access.principal, _key_beside(request))
        if principal is not None:
            found = await run_in_threadpool(service.all_of, principal.workspace)
            message["endpoints"] = [f"{endpoint.subdomain}.{service.domain}" for endpoint in found]
        return JSONResponse(message, status_code=404)

    @app.get("/-/alive")
    async def alive() -> Response:
        return PlainTextResponse("alive")

    _answer_errors(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)  # registered for nothing else
        return PlainTextResponse(error.message, status_code=error.status)

    async def failed(_: Request, error: Exception) -> Response:
        assert isinstance(error, ServingError)  # registered for nothing else
        status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)
        if status == 500:
            logger.error("internal error", exc_info=error)
            return PlainTextResponse("Internal error.", status_code=500)
        return PlainTextResponse(error.message, status_code=status)

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(ServingError, failed)


def _key_beside(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.query_params.get("api_key") or None


def _span(first: str | None, last: str | None, default_s: float) -> tuple[float, float]:
    now = time.time()
    end = now if last is None else _unix_s(last, "to_timestamp")
    begin = end - default_s if first is None else _unix_s(first, "from_timestamp")
    if begin > end:
        raise RefusedError("from_timestamp must not be later than to_timestamp", 400)
    return begin, end


def _unix_s(text: str, what: str) -> float:
    try:
        # A `+` in a query that nobody encoded has become a blank.
        at = datetime.fromisoformat(text.strip().replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        raise RefusedError(
            f"{what}: {text[:80]!r} is no time; give one such as 2026-01-31T12:00:00+00:00", 400
        ) from None
    return at.astimezone().timestamp()


def _usage_body(
    workspace: str, span: tuple[float, float], used: list[tuple[Endpoint, list[UsageInterval]]]
) -> dict[str, Any]:
    rows = [
        {
            "deployment_id": endpoint.endpoint_id,
            "deployment_name": endpoint.name,
            "machine_type": endpoint.machine_type,
            "seconds": round(sum(interval.seconds for interval in intervals), 3),
            "hours": round(sum(interval.seconds for interval in intervals) / HOUR_S, 6),
            "intervals": [
                {"replica": i.replica, "from": iso(i.began_unix_s), "to": iso(i.ended_unix_s), "running": i.is_open}
                for i in intervals
            ],
        }
        for endpoint, intervals in used
    ]
    return {
        "workspace_id": workspace,
        "from_timestamp": iso(span[0]),
        "to_timestamp": iso(span[1]),
        "seconds": round(sum(i.seconds for _, intervals in used for i in intervals), 3),
        "deployments": rows,
    }
