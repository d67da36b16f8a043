"""The order in which a reader takes the words of a page: words make lines, lines make blocks.

Lengths are compared with heights of words, never with the page, so a crop and a page are read alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.models.text_detection.text_regions import Quads

Boxes = NDArray[np.float64]

WORD_GAP = 2.5
"""Words of one row further apart than this many heights stand in different lines, as in two columns."""

LINE_GAP = 0.8
"""Lines further apart than this many heights stand in different blocks."""

SAME_HEIGHT = 2.0
"""Lines whose heights differ by more than this factor stand in different blocks."""


def arrange(quads: Quads) -> list[list[list[int]]]:
    """Positions of the words, by block and line, in reading order. Every word occurs once.

    Rows are found along the slope that most of the text has.

    Args:
        quads: (n, 4, 2) corners from top left clockwise, pixels; n may be 0.
    """
    if not len(quads):
        return []
    boxes = _level(quads)
    lines = [line for row in _rows(boxes) for line in _split(row, boxes)]
    around = np.array([_around(boxes[line]) for line in lines])
    blocks = [sorted(members, key=lambda line: (around[line, 1], around[line, 0])) for members in _blocks(around)]
    places = np.array([_around(around[members]) for members in blocks])
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    return [[lines[line] for line in blocks[block]] for block in _reading_order(places, height)]


def _level(quads: Quads) -> Boxes:
    """(n, 4) xyxy of the words after the page was turned so that its text runs level."""
    along = (quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]).astype(np.float64) / 2
    length = np.linalg.norm(along, axis=1)
    angle = _weighted_median(np.arctan2(along[:, 1], along[:, 0]), length)
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = quads.astype(np.float64) @ np.array([[cosine, -sine], [sine, cosine]])
    boxes: Boxes = np.concatenate([turned.min(axis=1), turned.max(axis=1)], axis=1)
    return boxes


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _rows(boxes: Boxes) -> list[list[int]]:
    """Words whose centres lie within half a height of their row's, top row first."""
    centre, height = (boxes[:, 1] + boxes[:, 3]) / 2, boxes[:, 3] - boxes[:, 1]
    rows: list[list[int]] = []
    sums: list[float] = []
    for word in np.lexsort((boxes[:, 0], centre)).tolist():
        if rows:
            members = rows[-1]
            apart = abs(centre[word] - sums[-1] / len(members))
            if apart < min(height[word], float(np.median(height[members]))) / 2:
                members.append(word)
                sums[-1] += float(centre[word])
                continue
        rows.append([word])
        sums.append(float(centre[word]))
    return rows


def _split(row: Sequence[int], boxes: Boxes) -> list[list[int]]:
    """The lines of a row, left to right."""
    ordered = sorted(row, key=lambda word: (boxes[word, 0], boxes[word, 2]))
    height = float(np.median(boxes[ordered, 3] - boxes[ordered, 1]))
    lines = [ordered[:1]]
    reached = boxes[ordered[0], 2]
    for word in ordered[1:]:
        if boxes[word, 0] - reached > WORD_GAP * height:
            lines.append([])
        lines[-1].append(word)
        reached = max(reached, boxes[word, 2])
    return lines


def _blocks(lines: Boxes) -> list[list[int]]:
    """Lines that stand below one another, near and alike, are of one block; each line belongs to one."""
    height = lines[:, 3] - lines[:, 1]
    gap = np.maximum(lines[:, None, 1], lines[None, :, 1]) - np.minimum(lines[:, None, 3], lines[None, :, 3])
    shared = np.minimum(lines[:, None, 2], lines[None, :, 2]) - np.maximum(lines[:, None, 0], lines[None, :, 0])
    smaller = np.minimum(height[:, None], height[None, :])
    alike = np.maximum(height[:, None], height[None, :]) <= SAME_HEIGHT * smaller
    return _connected((gap <= LINE_GAP * smaller) & (shared > 0) & alike)


def _connected(joined: NDArray[np.bool_]) -> list[list[int]]:
    """The groups that a symmetric table of pairs makes."""
    left = set(range(len(joined)))
    groups: list[list[int]] = []
    while left:
        group, border = [], [left.pop()]
        while border:
            member = border.pop()
            group.append(member)
            near = left.intersection(np.flatnonzero(joined[member]).tolist())
            left -= near
            border.extend(near)
        groups.append(group)
    return groups


def _reading_order(places: Boxes, height: float) -> list[int]:
    """Blocks from top to bottom; those that begin within a height of the first of them from left to right."""
    below = np.lexsort((places[:, 0], places[:, 1])).tolist()
    order: list[int] = []
    while below:
        top = places[below[0], 1]
        count = int(np.count_nonzero(places[below, 1] <= top + height))
        order.extend(sorted(below[:count], key=lambda block: places[block, 0]))
        below = below[count:]
    return order


def _around(boxes: Boxes) -> Boxes:
    return np.array([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)])
