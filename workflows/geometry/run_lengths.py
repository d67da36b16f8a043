"""Masks as run lengths, in the compressed text of the COCO data sets.

Runs count pixels column by column, beginning with empty ones. Each count from the fourth on is written as the
difference to the count two before it, in groups of five bits, lowest first, as characters from `0` on.

Source: maskApi.c of the COCO API 2.0 (rleToString, rleFrString).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GROUP = 0x1F
_SIGN = 0x10
_MORE = 0x20
_FIRST_CHARACTER = 48


def compress(
    mask: NDArray[np.bool_], *, left_px: int = 0, top_px: int = 0, canvas_wh: tuple[int, int] | None = None
) -> str:
    """The text of a mask.

    Args:
        mask: (h, w).
        left_px: column of the mask on the canvas.
        top_px: row of the mask on the canvas.
        canvas_wh: size of an empty canvas that the mask lies on, all of it inside; the mask alone when None.
    """
    counts = _counts(mask, left_px, top_px, canvas_wh or (mask.shape[1], mask.shape[0]))
    written: list[str] = []
    for index, count in enumerate(counts):
        rest = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group = rest & _GROUP
            rest >>= 5
            more = rest != (-1 if group & _SIGN else 0)
            written.append(chr((group | _MORE if more else group) + _FIRST_CHARACTER))
    return "".join(written)


def parse(text: str, image_wh: tuple[int, int]) -> list[int]:
    """The runs of a text.

    Raises:
        ValueError: they do not fill a mask of this size.
    """
    width, height = image_wh
    counts = _parse(text)
    if min(counts, default=0) < 0 or sum(counts) != width * height:
        raise ValueError(f"run lengths add up to {sum(counts)}, a mask of {width}x{height} has {width * height} pixels")
    return counts


def filled_columns(counts: list[int], height_px: int) -> slice:
    """The columns between the first and the last pixel of a mask; none when it has no pixel."""
    ends = np.cumsum(counts)
    filled = np.flatnonzero(np.array(counts[1::2])) * 2 + 1
    if not len(filled):
        return slice(0, 0)
    first, last = int(ends[filled[0] - 1]), int(ends[filled[-1]]) - 1
    return slice(first // height_px, last // height_px + 1)


def expand_columns(counts: list[int], columns: slice, height_px: int) -> NDArray[np.bool_]:
    """The (h, w) pixels of some columns of a mask."""
    first, last = columns.start * height_px, columns.stop * height_px
    lengths = np.diff(np.clip(np.cumsum(counts), first, last), prepend=first)
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, lengths)
    return flat.reshape(columns.stop - columns.start, height_px).T.copy()


def _counts(mask: NDArray[np.bool_], left_px: int, top_px: int, canvas_wh: tuple[int, int]) -> list[int]:
    width, height = canvas_wh
    framed = np.zeros((mask.shape[1], mask.shape[0] + 2), dtype=np.int8)  # column by column, an empty pixel at each end
    framed[:, 1:-1] = mask.T
    steps = np.diff(framed, axis=1)
    starts, ends = (_on_canvas(steps == step, left_px, top_px, height) for step in (1, -1))
    changes = np.setxor1d(starts, ends, assume_unique=True)  # a run may go on at the top of the next column
    edges = np.concatenate([[0], changes, [width * height]])
    counts: list[int] = np.diff(edges).tolist()
    return counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts


def _on_canvas(marks: NDArray[np.bool_], left_px: int, top_px: int, height: int) -> NDArray[np.int64]:
    """Positions of marks (columns, rows) in a canvas that is read column by column."""
    column, row = np.nonzero(marks)
    return (column + left_px) * height + row + top_px


def _parse(text: str) -> list[int]:
    counts: list[int] = []
    at = 0
    while at < len(text):
        value = shift = 0
        more = True
        while more:
            if at == len(text):
                raise ValueError("run lengths end in the middle of a number")
            group = ord(text[at]) - _FIRST_CHARACTER
            if not 0 <= group < 2 * _MORE:
                raise ValueError(f"{text[at]!r} at position {at} is no character of compressed run lengths")
            value |= (group & _GROUP) << shift
            more = bool(group & _MORE)
            at, shift = at + 1, shift + 5
            if not more and group & _SIGN:
                value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts
