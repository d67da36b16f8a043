"""The control plane's HTTP: ten calls in the shapes of the vendor's client, and two more; errors are plain text."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from deployments.control import errors
from deployments.control.access import Access
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
from deployments.control.key_check import RefusedError, key_check, read_body, workspace_of
from deployments.control.logs import MAX_ENTRIES, log_entries
from deployments.control.service import HOUR_S, EndpointService
from deployments.edge.config import UNKNOWN_HOST_PATH
from deployments.errors import ServingError
from deployments.ingress.sent_key import key_beside
from deployments.storage.database import Database
from deployments.storage.errors import NameTakenError, NotStoredError, StorageUnavailableError
from deployments.storage.events import events
from deployments.storage.usage import UsageInterval

logger = logging.getLogger(__name__)

DAY_S = 24 * HOUR_S

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


def create_control_app(service: EndpointService, access: Access, database: Database, log_root: Path | None) -> FastAPI:
    """The application.

    Args:
        service: the endpoints.
        access: knows keys.
        database: for events.
        log_root: below which revisions of endpoints have folders of logs.
    """

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(key_check(access))])

    def shown(endpoint: Endpoint) -> Response:
        return JSONResponse(endpoint_body(endpoint, service.domain))

    @app.get("/machine_types")
    async def machine_types() -> Response:
        return JSONResponse({"machine_types": [machine_type_body(kind) for kind in service.machine_types]})

    @app.post("/add")
    async def add(request: Request) -> Response:
        body = await read_body(request, AddBody)
        workspace = workspace_of(request)
        return shown(await run_in_threadpool(service.add, workspace, body))

    @app.get("/get")
    async def get(request: Request, deployment_name: str) -> Response:
        workspace = workspace_of(request)
        return shown(await run_in_threadpool(service.get, workspace, deployment_name))

    @app.get("/list")
    async def list_all(request: Request, show_expired: str = "false", show_deleted: str = "false") -> Response:
        workspace = workspace_of(request)
        found = await run_in_threadpool(service.all_of, workspace, deleted=show_deleted.lower() == "true")
        expired = show_expired.lower() == "true"
        bodies = [endpoint_body(endpoint, service.domain) for endpoint in found]
        return JSONResponse({"deployments": [b for b in bodies if expired or b["status"] != "expired"]})

    def change(path: str, do: Callable[[str, str], Endpoint]) -> None:
        async def route(request: Request) -> Response:
            body = await read_body(request, Named)
            workspace = workspace_of(request)
            return shown(await run_in_threadpool(do, workspace, body.deployment_name))

        app.add_api_route(path, route, methods=["POST"])

    change("/pause", service.pause)
    change("/resume", service.resume)
    change("/delete", service.delete)

    @app.post("/resize")
    async def resize(request: Request) -> Response:
        body = await read_body(request, ResizeBody)
        workspace = workspace_of(request)
        numbers = (body.min_replicas, body.max_replicas)
        return shown(await run_in_threadpool(service.resize, workspace, body.deployment_name, *numbers))

    @app.post("/update")
    async def update(request: Request) -> Response:
        body = await read_body(request, UpdateBody)
        workspace = workspace_of(request)
        args = body.config.args()
        return shown(await run_in_threadpool(service.update, workspace, body.deployment_name, args))

    @app.get("/usage_workspace")
    async def usage_workspace(
        request: Request, from_timestamp: str | None = None, to_timestamp: str | None = None
    ) -> Response:
        workspace = workspace_of(request)
        span = _span(from_timestamp, to_timestamp, DAY_S)
        used = await run_in_threadpool(service.usage, workspace, *span)
        return JSONResponse(_usage_body(workspace, span, used))

    @app.get("/usage_deployment")
    async def usage_deployment(
        request: Request,
        deployment_name: str,
        from_timestamp: str | None = None,
        to_timestamp: str | None = None,
    ) -> Response:
        workspace = workspace_of(request)
        span = _span(from_timestamp, to_timestamp, DAY_S)
        endpoint = await run_in_threadpool(service.get, workspace, deployment_name)
        used = await run_in_threadpool(service.usage, workspace, *span)
        of_it = [(other, rows) for other, rows in used if other.endpoint_id == endpoint.endpoint_id]
        return JSONResponse(_usage_body(workspace, span, of_it))

    @app.get("/get_log")
    async def get_log(
        request: Request,
        deployment_name: str,
        from_timestamp: str | None = None,
        to_timestamp: str | None = None,
        max_entries: int = 100,
    ) -> Response:
        workspace = workspace_of(request)
        first, last = _span(from_timestamp, to_timestamp, HOUR_S)
        limit = min(max(max_entries, 1), MAX_ENTRIES)

        def entries() -> list[dict[str, Any]]:
            endpoint = service.get(workspace, deployment_name)
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
        principal = await access.principal(key_beside(request))
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
        if isinstance(error, StorageUnavailableError):  # where the database is, is nothing for clients
            logger.warning("the database does not answer", extra={"reason": error.message})
            return PlainTextResponse("the control plane's database does not answer; try again", status_code=status)
        return PlainTextResponse(error.message, status_code=status)

    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(ServingError, failed)


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
