"""Crops that are too wide for a recognizer's input: cut into overlapping pieces, their texts joined again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deployments.models.package_layouts.contents import TextReading
from workflows.values.image import Pixels

BORDER_CHARACTERS = 3
"""Characters by which texts overlap less than their pieces do: the cut ones, and the one at each end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """A crop in pieces from left to right.

    Attributes:
        pixels: of each piece.
        last_overlap: part of the last piece that the one before it shows too.
    """

    pixels: list[Pixels]
    last_overlap: float


def split_wide(crop: Pixels, reading: TextReading) -> Pieces:
    """The crop itself when it is narrow enough, otherwise pieces of equal width; the last one ends where the crop does.

    Of a crop that would need more than `max_pieces`, the pieces are wider: it is so flat that it shows no text, and
    would keep a reader busy for minutes.

    Source: docTR 1.1, models/recognition/predictor (behaviour).
    """
    height, width = crop.shape[:2]
    if width <= reading.critical_aspect_ratio * height:
        return Pieces(pixels=[crop], last_overlap=0.0)
    widest = math.ceil(width / (reading.max_pieces * (1 - reading.piece_overlap)))
    piece_width = max(1, math.ceil(height * reading.piece_aspect_ratio), widest)
    step = piece_width - math.floor(piece_width * reading.piece_overlap)
    starts = list(range(0, width - piece_width + 1, step))
    if starts[-1] + piece_width < width:
        starts.append(width - piece_width)
    last_overlap = 0.0 if len(starts) == 1 else (starts[-2] + piece_width - starts[-1]) / piece_width
    return Pieces(pixels=[crop[:, start : start + piece_width] for start in starts], last_overlap=last_overlap)


def join_texts(texts: Sequence[str], overlap: float, last_overlap: float) -> str:
    """One text from those of overlapping pieces, left to right.

    Args:
        texts: one for each piece.
        overlap: part of a piece that the next one shows again.
        last_overlap: the same for the last two.
    """
    joined = texts[0] if texts else ""
    for position, text in enumerate(texts[1:], start=2):
        joined = join_pair(joined, text, last_overlap if position == len(texts) else overlap)
    return joined


def join_pair(left: str, right: str, overlap: float) -> str:
    """Two texts joined where they agree best.

    The last character of `left` and the first of `right` may be cut through and are left out of the comparison. An
    overlap without any difference wins, of several the one nearest to the length expected; otherwise differences and
    distance from that length are weighed against each other. Texts that should hardly overlap are put side by side.

    Source: docTR 1.1, models/recognition/utils (behaviour).
    """
    if min(len(left), len(right)) <= 1:
        return left + right
    head, tail = left[:-1], right[1:]
    expected = round(len(right) * overlap) - BORDER_CHARACTERS + 1
    lengths = range(1, min(len(head), len(tail)) + 1)
    differences = {length: _differences(head[-length:], tail[:length]) for length in lengths}
    perfect = [length for length in lengths if differences[length] == 0]
    if perfect:
        length = min(perfect, key=lambda each: abs(each - expected))
        return head + tail[length:]
    if expected < 0:
        return left + right
    if expected == 0:
        return head + tail
    length = min(lengths, key=lambda each: differences[each] + abs(each - expected))
    return head + tail[length:]


def _differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
