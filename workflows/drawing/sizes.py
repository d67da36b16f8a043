"""How large what is drawn may be: beyond these sizes pictures stay the same, and the drawing library takes minutes."""

from __future__ import annotations

from typing import TypeVar

Size = TypeVar("Size", int, float)

LARGEST_STROKE_PX = 1000
LARGEST_MARGIN_PX = 10_000
LARGEST_TEXT_SCALE = 100.0
LARGEST_PALETTE = 1024


def at_most(size: Size, largest: Size) -> Size:
    """`size`, or the largest there is, with its sign."""
    return min(max(size, -largest), largest)
