"""The key that a request carries beside its body; the data plane and the control plane read it alike."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request


def absent_key(value: Any) -> Any:
    """None for what clients send when they have no key: the empty text, and `None` as a text."""
    return None if value in ("", "None") else value


def key_beside(request: Request) -> str | None:
    """The key in a request's query, else its bearer token; None when it shows neither."""
    if (key := absent_key(request.query_params.get("api_key"))) is not None:
        return str(key)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and (key := absent_key(token.strip())) is not None:
        return str(key)
    return None
