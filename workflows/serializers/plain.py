"""Plain values that a client sends: numbers, texts, lists, points, times, bytes."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pybase64

from workflows.errors import RuntimeInputError
from workflows.values.wording import type_in_words


def read_integer(value: Any, element_id: str) -> int:
    """A whole number."""
    if isinstance(value, int):
        return value
    raise _wrong(value, element_id, "a whole number")


def read_float(value: Any, element_id: str) -> float:
    """A number."""
    if isinstance(value, int | float):
        return float(value)
    raise _wrong(value, element_id, "a number")


def read_fraction(value: Any, element_id: str) -> float:
    """A number from 0 to 1."""
    number = read_float(value, element_id)
    if not 0.0 <= number <= 1.0:
        raise RuntimeInputError(f"`{element_id}` is {number}; it must lie between 0.0 and 1.0")
    return number


def read_string(value: Any, element_id: str) -> str:
    """Text."""
    if isinstance(value, str):
        return value
    raise _wrong(value, element_id, "text")


def read_boolean(value: Any, element_id: str) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise _wrong(value, element_id, "true or false")


def read_dictionary(value: Any, element_id: str) -> Mapping[str, Any]:
    """An object."""
    if isinstance(value, Mapping):
        return value
    raise _wrong(value, element_id, "an object")


def read_list(value: Any, element_id: str) -> list[Any]:
    """A list."""
    if isinstance(value, list | tuple):
        return list(value)
    raise _wrong(value, element_id, "a list")


def read_point(value: Any, element_id: str) -> list[Any]:
    """Two numbers: x and y; further ones are left out."""
    xy = read_list(value, element_id)[:2]
    if len(xy) != 2 or not all(isinstance(number, int | float) for number in xy):
        raise RuntimeInputError(f"`{element_id}` must be a point: a list of two numbers, x and y")
    return xy


def read_zone(value: Any, element_id: str) -> list[Any]:
    """At least three points of exactly two numbers."""
    corners = read_list(value, element_id)
    if len(corners) < 3:
        raise RuntimeInputError(f"`{element_id}` must be a zone: a list of at least three points, got {len(corners)}")
    if any(isinstance(corner, list | tuple) and len(corner) != 2 for corner in corners):
        raise RuntimeInputError(f"`{element_id}` must be a zone: each point a list of two numbers, x and y")
    return [read_point(corner, element_id) for corner in corners]


def read_labeled_points(value: Any, element_id: str) -> list[dict[str, Any]]:
    """Objects with x and y and whether the point belongs to the object; other keys are left out."""
    return [_labeled_point(point, element_id) for point in read_list(value, element_id)]


def _labeled_point(value: Any, element_id: str) -> dict[str, Any]:
    match value:
        case {"x": x, "y": y}:
            positive = value.get("positive", True)
        case [x, y]:
            positive = True
        case [x, y, positive]:
            pass
        case _:
            x = y = positive = None
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in (x, y)):
        raise RuntimeInputError(
            f'`{element_id}` must be points with labels: a list of {{"x", "y", "positive"}} or [x, y, positive]'
        )
    return {"x": x, "y": y, "positive": bool(positive)}


def read_colour(value: Any, element_id: str) -> str | list[Any]:
    """Colour text, or red, green and blue; what they are worth is for whoever paints with them to say."""
    if isinstance(value, str):
        return value
    parts = read_list(value, element_id)
    if len(parts) < 3:
        raise RuntimeInputError(f"`{element_id}` must be a colour: text like #ff8800, or a list of red, green and blue")
    return parts[:3]


def read_timestamp(value: Any, element_id: str) -> datetime:
    """ISO 8601 text."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise RuntimeInputError(f"`{element_id}` must be a time in ISO 8601: {error}") from error
    raise _wrong(value, element_id, "a time in ISO 8601")


def read_bytes(value: Any, element_id: str) -> bytes:
    """Base64 text."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return pybase64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise RuntimeInputError(f"`{element_id}` must be base64 text: {error}") from error
    raise _wrong(value, element_id, "base64 text")


def mask_secret(secret: str) -> str:
    """What may be shown of a secret: its first two and last two characters, nothing of a short one."""
    return f"{secret[:2]}********{secret[-2:]}" if len(secret) >= 8 else "********"


def _wrong(value: Any, element_id: str, right: str) -> RuntimeInputError:
    return RuntimeInputError(f"`{element_id}` must be {right}, not {type_in_words(value)}")
