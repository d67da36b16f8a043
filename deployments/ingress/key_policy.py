"""What each route asks of a key, and the check of it.

A route that is not in the table lets nobody in where keys are asked for. The check goes by the route that was matched,
not by the path, so that there are no two readings of one path.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from deployments.dataplane.saved_workflows import LOCAL_WORKSPACE
from deployments.errors import ForbiddenKeyError, StateUnavailableError, UnauthorizedKeyError
from deployments.ingress.exchange import exchange_of
from deployments.ingress.request_body import read_json
from deployments.ingress.sent_key import absent_key, key_beside
from deployments.ingress.service_access import service_of
from deployments.storage.api_key import ApiKey, Scope
from deployments.storage.errors import StorageUnavailableError
from deployments.storage.key_ring import KeyRing

logger = logging.getLogger(__name__)

PUBLIC = None
"""Needs no key: what tells whether the server lives, and what it is."""

WHOLE_IMAGE_TASKS = ("object_detection", "instance_segmentation", "keypoints_detection", "classification")
V2_MODEL = ("/v2/models/{name:path}", "/v2/models/{name:path}/versions/{version}")

POLICIES: Mapping[str, Scope | None] = {
    **dict.fromkeys(("/", "/info", "/healthz", "/readiness", "/metrics"), PUBLIC),
    **dict.fromkeys(("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"), PUBLIC),
    **dict.fromkeys(("/v2", "/v2/", "/v2/health/live", "/v2/health/ready"), PUBLIC),
    # What unloads a model takes it from everybody else too.
    **dict.fromkeys(("/model/remove", "/model/clear", "/clear_cache"), Scope.MANAGE),
    **dict.fromkeys(("/model/registry", "/model/add", "/start/{dataset_id}/{version_id}"), Scope.INFER),
    **dict.fromkeys(("/workflows/run", "/infer/workflows", "/{workspace}/workflows/{workflow_id}"), Scope.INFER),
    **dict.fromkeys(("/infer/workflows/{workspace}/{workflow_id}", "/workflows/validate"), Scope.INFER),
    **dict.fromkeys((f"/infer/{task}" for task in WHOLE_IMAGE_TASKS), Scope.INFER),
    **dict.fromkeys(("/doctr/ocr", "/ocr/pp-ocr"), Scope.INFER),
    **dict.fromkeys(("/workflows/execution_engine/versions", "/workflows/definition/schema"), Scope.INFER),
    **dict.fromkeys(("/workflows/blocks/describe", "/workflows/blocks/dynamic_outputs"), Scope.INFER),
    "/workflows/describe_interface": Scope.INFER,
    "/{workspace}/workflows/{workflow_id}/describe_interface": Scope.INFER,
    **dict.fromkeys(V2_MODEL, Scope.INFER),
    **{f"{path}/{what}": Scope.INFER for path in V2_MODEL for what in ("ready", "config", "infer")},
    "/v2/repository/index": Scope.INFER,
    "/{dataset_id}/{version_id}": Scope.INFER,
}
"""Path of a route, as it is declared -> the least scope of a key."""

RAW_BODIES = frozenset({"/{dataset_id}/{version_id}", *(f"{path}/infer" for path in V2_MODEL)})
"""Routes whose bodies are no JSON objects with a key in them, whatever their headers say; bodies are read once."""

GRPC_POLICIES: Mapping[str, Scope | None] = {
    **dict.fromkeys(("ServerLive", "ServerReady", "ServerMetadata"), PUBLIC),
    **dict.fromkeys(("ModelReady", "ModelMetadata", "ModelConfig", "RepositoryIndex", "ModelInfer"), Scope.INFER),
}
"""The same for calls of gRPC."""


async def check_key(request: Request) -> None:
    """Let a request through that carries a key for what it asks.

    Raises:
        UnauthorizedKeyError: it has none, or one that is good for nothing here.
        ForbiddenKeyError: its key is for less.
        StateUnavailableError: the keys cannot be looked at.
    """
    service = service_of(request)
    if not service.settings.require_keys:
        return
    path = getattr(request.scope.get("route"), "path", "")
    if path in POLICIES and POLICIES[path] is PUBLIC:
        return
    known = await check_text(service.keys, await sent_key(request), POLICIES.get(path), service.settings.keys_workspace)
    exchange = exchange_of(request)
    exchange.workspace, exchange.key_id = known.workspace, known.key_id
    asked = request.path_params.get("workspace")
    if asked is not None and asked not in (known.workspace, LOCAL_WORKSPACE):
        raise UnauthorizedKeyError(
            f"Unauthorized api_key: it is of the workspace {known.workspace!r} and runs its saved workflows and "
            f"those of {LOCAL_WORKSPACE!r}"
        )


async def check_text(keys: KeyRing, key: str | None, scope: Scope | None, workspace: str | None) -> ApiKey:
    """What is known of a key that is good for `scope` in `workspace`; a scope of None is nobody's.

    Raises:
        UnauthorizedKeyError: it is good for nothing here; never said is why.
        ForbiddenKeyError: it is for less.
        StateUnavailableError: the keys cannot be looked at.
    """
    try:
        known = None if key is None else await keys.find(key)
    except StorageUnavailableError as error:
        logger.warning("keys cannot be looked at", extra={"reason": error.message})  # nothing for clients to know
        raise StateUnavailableError("API keys cannot be checked at the moment; try again") from error
    if known is None or workspace not in (None, known.workspace):
        raise UnauthorizedKeyError("Unauthorized api_key")
    if scope is None:
        raise ForbiddenKeyError("no key is good for this route")
    if not known.may(scope):
        raise ForbiddenKeyError(f"this key has the scope {known.scope}; what is asked needs {scope}")
    return known


async def sent_key(request: Request) -> str | None:
    """The key of a request: of its query, else its bearer token, else of its JSON body."""
    if (key := key_beside(request)) is not None:
        return key
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if not is_json or getattr(request.scope.get("route"), "path", "") in RAW_BODIES:
        return None
    try:
        body = await read_json(request)
    except RequestValidationError:
        return None
    key = absent_key(body.get("api_key")) if isinstance(body, dict) else None
    return key if isinstance(key, str) else None
