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


def compress(mask: NDArray[np.bool_]) -> str:
    """The text of an (h, w) mask."""
    counts = _counts(mask)
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


def expand(text: str, image_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """The (h, w) mask of a text.

    Raises:
        ValueError: the runs do not fill a mask of this size.
    """
    width, height = image_wh
    counts = _parse(text)
    if min(counts, default=0) < 0 or sum(counts) != width * height:
        raise ValueError(f"run lengths add up to {sum(counts)}, a mask of {width}x{height} has {width * height} pixels")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(width, height).T.copy()


def _counts(mask: NDArray[np.bool_]) -> list[int]:
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts: list[int] = np.diff(edges).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


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
