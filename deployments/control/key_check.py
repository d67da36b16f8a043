"""What each route of the control plane asks of a key, and the check of it. A route without a policy lets nobody in."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import ValidationError

from deployments.control.access import Access, Principal
from deployments.control.bodies import Named
from deployments.edge.config import UNKNOWN_HOST_PATH
from deployments.ingress.sent_key import absent_key, key_beside
from deployments.storage.api_key import Scope

MAX_BODY_BYTES = 256 * 1024

PUBLIC = None

POLICIES: Mapping[str, Scope | None] = {
    "/-/alive": PUBLIC,
    UNKNOWN_HOST_PATH: PUBLIC,  # says by itself what a key may see
    **dict.fromkeys(("/machine_types", "/get", "/list"), Scope.INFER),
    **dict.fromkeys(("/usage_workspace", "/usage_deployment", "/get_log"), Scope.MANAGE),
    **dict.fromkeys(("/add", "/pause", "/resume", "/delete", "/resize", "/update"), Scope.MANAGE),
}
"""Path -> the least scope of a key of the workspace whose endpoints are meant."""

Body = TypeVar("Body", bound=Named)


class RefusedError(Exception):
    """The request ends here, with a status and a text."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status


def key_check(access: Access) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """What every route depends on: lets a request through that carries a key for what it asks, and says whose it is."""

    async def check(request: Request) -> None:
        path = getattr(request.scope.get("route"), "path", "")
        if path in POLICIES and POLICIES[path] is PUBLIC:
            return
        principal = await access.principal(await _key_of(request))
        if principal is None:
            raise RefusedError("Unauthorized api_key", 401)
        scope = POLICIES.get(path)
        if scope not in principal.scopes:
            raise RefusedError(f"this key is for less; what is asked needs the scope {scope or 'of nobody'}", 403)
        request.state.principal = principal

    return check


def workspace_of(request: Request) -> str:
    """Whose key a request carries."""
    principal: Principal = request.state.principal
    return principal.workspace


async def read_body(request: Request, kind: type[Body]) -> Body:
    """The body of a request, checked.

    Raises:
        RefusedError: it is too large, or not what is wanted.
    """
    try:
        return kind.model_validate_json(await _raw(request))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, p['loc']))}: {p['msg'].removeprefix('Value error, ')}" for p in error.errors()[:10]
        )
        raise RefusedError(problems, 400) from error


async def _raw(request: Request) -> bytes:
    """The body, which is read once, whoever asks first."""
    if not hasattr(request.state, "raw"):
        raw = bytearray()
        async for part in request.stream():
            raw += part
            if len(raw) > MAX_BODY_BYTES:
                raise RefusedError(f"the body has more than {MAX_BODY_BYTES} bytes", 413)
        request.state.raw = bytes(raw)
    read: bytes = request.state.raw
    return read


async def _key_of(request: Request) -> str | None:
    """The key of a request: of its query, else its bearer token, else of its JSON body."""
    if (key := key_beside(request)) is not None or request.method != "POST":
        return key
    try:
        body = json.loads(await _raw(request))
    except (ValueError, RecursionError):
        return None
    key = absent_key(body.get("api_key")) if isinstance(body, dict) else None
    return key if isinstance(key, str) else None
