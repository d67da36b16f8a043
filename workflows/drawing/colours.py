"""Colours as texts and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

Rgb = tuple[int, int, int]

NAMED: dict[str, Rgb] = {
    "WHITE": (255, 255, 255),
    "BLACK": (0, 0, 0),
    "GREY": (128, 128, 128),
    "RED": (255, 0, 0),
    "GREEN": (0, 255, 0),
    "BLUE": (0, 0, 255),
    "YELLOW": (255, 255, 0),
    "ROBOFLOW": (163, 81, 251),
}

_LONG_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})(?:[0-9a-fA-F]{2})?")
_SHORT_HEX = re.compile(r"#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])[0-9a-fA-F]?")
_TRIPLE = re.compile(r"(rgb|bgr|)\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)


def parse_colour(colour: str | Sequence[int]) -> Rgb:
    """Red, green and blue, 0 to 255, of any way to write a colour; how opaque it is counts for nothing.

    Raises:
        ValueError: not a colour.
    """
    if not isinstance(colour, str):
        return _triple(colour, colour)
    text = colour.strip()
    if text.upper() in NAMED:
        return NAMED[text.upper()]
    if match := _LONG_HEX.fullmatch(text):
        red, green, blue = (int(part, 16) for part in match.groups())
        return red, green, blue
    if match := _SHORT_HEX.fullmatch(text):
        red, green, blue = (int(part, 16) * 17 for part in match.groups())
        return red, green, blue
    if match := _TRIPLE.fullmatch(text):
        order, *parts = match.groups()
        red, green, blue = _triple([int(part) for part in parts], colour)
        return (blue, green, red) if order.lower() == "bgr" else (red, green, blue)
    raise _no_colour(colour)


def _triple(parts: Sequence[int], colour: object) -> Rgb:
    if len(parts) != 3 or not all(isinstance(part, int) and 0 <= part <= 255 for part in parts):
        raise _no_colour(colour)
    red, green, blue = parts
    return red, green, blue


def _no_colour(colour: object) -> ValueError:
    return ValueError(
        f"{colour!r} is no colour; right are #rrggbb, #rgb, rgb(r, g, b), bgr(b, g, r), a list of red, green and blue "
        f"from 0 to 255, and {', '.join(NAMED)}"
    )
