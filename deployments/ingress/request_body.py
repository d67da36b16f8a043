"""Bytes of a request to a checked body, for routes whose bodies carry images.

The framework would parse the JSON to Python twice and copy the image text on the way; here it is parsed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from deployments.errors import PayloadTooLargeError
from deployments.ingress.errors import ClientClosedError
from deployments.ingress.exchange import exchange_of
from deployments.ingress.service_access import service_of

Body = TypeVar("Body", bound=BaseModel)

COUNTED_FROM_BYTES = 256 * 1024
"""Size of a body from which its values are counted; all others may take a few MiB."""

VALUE_BYTES = {ord(","): 64, ord("["): 64, ord("{"): 240}
"""Sign in a JSON text -> memory of the Python object that it stands for, about: a value, a list, an object."""

MAX_ECHO_CHARACTERS = 200
MAX_INTEGER_DIGITS = 18
"""That fit into 64 bits, whatever they are."""


async def read_whole(request: Request) -> bytearray:
    """The body, held once: the framework would hold it as chunks and joined, and then as long as the request lasts.

    What was read is gone afterwards; nobody may ask for the body again.

    Raises:
        ClientClosedError: the client hung up before its end.
    """
    raw = bytearray()
    with hang_up_while_sending():
        async for chunk in request.stream():
            raw += chunk
    return raw


@contextmanager
def hang_up_while_sending() -> Iterator[None]:
    """Around what reads a body: say in our words that its client went away.

    Raises:
        ClientClosedError: it did.
    """
    try:
        yield
    except ClientDisconnect as error:
        raise ClientClosedError("the client closed the connection before all of its body had come") from error


async def read_json(request: Request, *, when_empty: Any = None) -> Any:
    """The JSON value a request carries; nobody but this may ask for the body again.

    Args:
        request: whose body.
        when_empty: what a body of no bytes stands for; None refuses it.

    Raises:
        RequestValidationError: no JSON.
        ClientClosedError: the client hung up before its end.
        OverloadedError: the value would take more memory than there is for it.
    """
    kept = getattr(request.state, "json_value", None)
    if kept is not None:
        return kept
    raw = await read_whole(request)
    if not raw and when_empty is not None:
        return when_empty
    if not raw:
        raise _unprocessable("missing", "Field required", None)
    count_values(request, raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _parse_leniently(raw)
    request.state.json_value = value  # a body is parsed once, whoever asks for its key
    return value


def count_values(request: Request, raw: bytes | bytearray) -> None:
    """Have a request counted for the memory that its JSON will take: many small values take far more than their text.

    Raises:
        OverloadedError: there is no room for it now.
        PayloadTooLargeError: there never is.
    """
    if len(raw) < COUNTED_FROM_BYTES:
        return
    admission, ticket = service_of(request).admission, exchange_of(request).ticket
    text = np.frombuffer(raw, dtype=np.uint8)  # counts several times as fast as `raw.count`
    signs = sum(int(np.count_nonzero(text == sign)) * value_bytes for sign, value_bytes in VALUE_BYTES.items())
    size_bytes = len(raw) + signs
    if size_bytes > admission.most_bytes:
        raise PayloadTooLargeError(f"the values in the request's JSON take {size_bytes} bytes of memory; send fewer")
    if ticket is not None:
        admission.grow(ticket, size_bytes)


def _parse_leniently(raw: bytearray) -> Any:
    """As Python's own parser does, which takes NaN and says more about what is wrong."""
    try:
        value = json.loads(raw, parse_int=_integer)
        # Half a character has no UTF-8: no answer could repeat it, and OpenCV dies of drawing one.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        position, reason = error.pos, error.msg
    except UnicodeEncodeError as error:
        position, reason = 0, f"half of a surrogate pair: {error.object[error.start : error.end]!r}"
    except (UnicodeDecodeError, RecursionError) as error:
        position, reason = 0, "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deep"
    else:
        return value
    problem = {"type": "json_invalid", "loc": ("body", position), "msg": "JSON decode error", "input": {}}
    raise RequestValidationError([problem | {"ctx": {"error": reason}}])


def _integer(text: str) -> float:
    """A whole number, as a float when it has more than 64 bits: both parsers do the same."""
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else float(text)


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object a request carries.

    Raises:
        RequestValidationError: no JSON, or no object.
    """
    value = await read_json(request)
    if not isinstance(value, dict):
        raise _unprocessable("dict_type", "Input should be a valid dictionary", value)
    return value


async def read_body(request: Request, model: type[Body]) -> Body:
    """The body of a request, checked.

    Raises:
        RequestValidationError: no JSON, or not what the model wants.
    """
    return check_body(await read_json(request), model)


def check_body(value: Any, model: type[Body]) -> Body:
    """`value` as an instance of `model`.

    Raises:
        RequestValidationError: it does not fit.
    """
    if not isinstance(value, dict):
        raise _unprocessable(
            "model_attributes_type", "Input should be a valid dictionary or object to extract fields from", value
        )
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise RequestValidationError(
            [{**problem, "loc": ("body", *problem["loc"]), "input": _echo(problem["input"])} for problem in problems]
        ) from error


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """What `openapi_extra` says of a route that reads its own body."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _unprocessable(kind: str, message: str, value: Any) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": ("body",), "msg": message, "input": _echo(value)}])


def _echo(value: Any) -> Any:
    """What an error shows of a wrong value: never images, keys or other people's data in a container."""
    if isinstance(value, dict):
        return {}
    if isinstance(value, list):
        return []
    if isinstance(value, str) and len(value) > MAX_ECHO_CHARACTERS:
        return value[:MAX_ECHO_CHARACTERS] + "..."
    return value
