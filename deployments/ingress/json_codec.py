"""JSON in and out: bytes to Python once, and values back as clients expect them."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pybase64
from starlette.responses import Response

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def encode_json(value: Any) -> bytes:
    """JSON text: NaN and infinity become null, times lose no digits and gain no zone, bytes become base64.

    Raises:
        TypeError: a value that has no JSON form.
    """
    return orjson.dumps(value, default=_encode_other, option=OPTIONS)


def _encode_other(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return pybase64.b64encode_as_string(value)
    if isinstance(value, (np.ndarray, np.generic)):  # what orjson does not write itself: texts, half floats, strides
        return value.tolist()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")


class JsonResponse(Response):
    """A response whose content is written by `encode_json`."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return encode_json(content)
