"""How large what is drawn may be: beyond these sizes pictures stay the same, and the drawing library takes minutes."""

from __future__ import annotations

from typing import TypeVar

Size = TypeVar("Size", int, float)

LARGEST_STROKE_PX = 1000
LARGEST_TEXT_STROKE_PX = 64
LARGEST_MARGIN_PX = 10_000
LARGEST_TEXT_SCALE = 100.0
LARGEST_PALETTE = 1024
LONGEST_LABEL = 100

LETTER_PX = 22
"""Height of a capital letter at text scale 1."""


def at_most(size: Size, largest: Size) -> Size:
    """`size`, or the largest there is, with its sign."""
    return min(max(size, -largest), largest)


def text_stroke_px(thickness_px: int, text_scale: float) -> int:
    """Width of a letter's strokes, 1 at least: those thicker than 64 px and than the letter is high only fill blots."""
    height_px = round(LETTER_PX * min(abs(text_scale), LARGEST_TEXT_SCALE))
    return min(max(thickness_px, 1), max(LARGEST_TEXT_STROKE_PX, height_px), LARGEST_STROKE_PX)
