"""From a map that says of each pixel how surely it belongs to text, to the regions of text.

Networks of this kind are taught shrunken regions, so that neighbours do not touch; what is found is grown again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.text_detection.text_regions import TextRegions

Map = NDArray[np.float32]
Floats = NDArray[np.float32]
Outline = NDArray[np.int32]

MIN_EXTENT_PX = 2
"""Regions whose outermost pixels are nearer together than this are noise."""

MAX_REGIONS = 1000
"""Of a map that shows more, the largest are taken: a page holds fewer words, and a network gone wild must not keep the
server busy."""

TURNED_FROM = 0.3
"""A region is taken as turned when one end lies this much of its height above the other, otherwise as upright."""

OPENING = np.ones((3, 3), dtype=np.uint8)
JOINING = np.ones((2, 2), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapReading:
    """How regions are read off a map.

    Attributes:
        pixel_threshold: probability from which a pixel belongs to text.
        region_threshold: mean probability of its pixels from which a region counts.
        unclip_ratio: how far a region grows on each side, in units of its area over its perimeter.
        joins_gaps: whether gaps of one pixel are closed before regions are told apart; otherwise threads and specks of
            less than three pixels are dropped.
    """

    pixel_threshold: float
    region_threshold: float
    unclip_ratio: float
    joins_gaps: bool = False


def regions_on_map(probability: Map, reading: MapReading) -> TextRegions:
    """The regions on one map, as rectangles in pixels of the map.

    Growing a rectangle by a rounded offset and framing the result gives the rectangle with longer sides, so no polygon
    is ever offset.
    Source: docTR 1.1, models/detection/differentiable_binarization/base (behaviour).

    Args:
        probability: (h, w) float32, 0 to 1, not written to.
        reading: thresholds and growth.
    """
    mask = (probability >= reading.pixel_threshold).astype(np.uint8)
    cleaned = cv2.dilate(mask, JOINING) if reading.joins_gaps else cv2.morphologyEx(mask, cv2.MORPH_OPEN, OPENING)
    found, _ = cv2.findContours(cleaned, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not found:
        return TextRegions.none()
    ltrb, chosen = _largest([outline.astype(np.int32, copy=False) for outline in found])
    upright = _upright(ltrb)
    score = _mean_inside(probability, ltrb)
    for row, outline in enumerate(chosen):
        turned = _turned(outline)
        if turned is not None:
            upright[row] = turned
            score[row] = _mean_within(probability, outline, ltrb[row])
    kept = score >= reading.region_threshold
    return TextRegions(quads=_corners(_grown(upright[kept], reading.unclip_ratio)), score=score[kept])


def _largest(outlines: Sequence[Outline]) -> tuple[NDArray[np.int64], list[Outline]]:
    """(n, 4) outermost pixels (left, top, right, bottom) of the regions that are taken, and their outlines."""
    points = np.concatenate(outlines)[:, 0]
    starts = np.concatenate([[0], np.cumsum([len(outline) for outline in outlines])[:-1]])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    extent = (high - low).astype(np.int64)
    rows = np.flatnonzero((extent >= MIN_EXTENT_PX).all(axis=1))
    if len(rows) > MAX_REGIONS:
        area = (extent[rows] + 1).prod(axis=1)
        rows = np.sort(rows[np.argsort(-area, kind="stable")[:MAX_REGIONS]])
    return np.concatenate([low[rows], high[rows]], axis=1).astype(np.int64), [outlines[row] for row in rows.tolist()]


def _upright(ltrb: NDArray[np.int64]) -> Floats:
    """(n, 5): centre x, y, length, height and angle (radians, clockwise) of upright rectangles round whole pixels."""
    low, high = ltrb[:, :2], ltrb[:, 2:] + 1
    return np.concatenate([(low + high) / 2, high - low, np.zeros((len(ltrb), 1))], axis=1).astype(np.float32)


def _turned(outline: Outline) -> tuple[float, float, float, float, float] | None:
    """The same of the smallest rectangle round a region; None when it is as good as upright."""
    (x, y), (length, height), degrees = cv2.minAreaRect(outline)
    length, height = length + 1, height + 1  # through the centres of the outermost pixels: half of one on each side
    quarters = round(degrees / 90)
    degrees -= 90 * quarters
    if quarters % 2:
        length, height = height, length
    rise = np.sin(np.deg2rad(abs(degrees))) * max(length, height)
    if rise <= TURNED_FROM * min(length, height) or max(length, height) < 2 * min(length, height):
        return None
    return x + 0.5, y + 0.5, length, height, float(np.deg2rad(degrees))


def _mean_inside(probability: Map, ltrb: NDArray[np.int64]) -> Floats:
    """(n,) mean over upright boxes, all from one table of sums.

    One column and one row more than the region has are looked at, where the map has them.
    """
    height, width = probability.shape
    sums = cv2.integral(probability, sdepth=cv2.CV_64F)
    left, top = ltrb[:, 0], ltrb[:, 1]
    right, bottom = np.minimum(ltrb[:, 2] + 2, width), np.minimum(ltrb[:, 3] + 2, height)
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    mean: Floats = (total / ((right - left) * (bottom - top))).astype(np.float32)
    return mean


def _mean_within(probability: Map, outline: Outline, ltrb: NDArray[np.int64]) -> float:
    left, top, right, bottom = ltrb.tolist()
    mask = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [outline - np.array([left, top], dtype=np.int32)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0])


def _grown(rectangles: Floats, unclip_ratio: float) -> Floats:
    grown = rectangles.copy()
    length, height = rectangles[:, 2], rectangles[:, 3]
    distance = length * height * unclip_ratio / (2 * (length + height))
    grown[:, 2:4] += 2 * distance[:, None]
    return grown


def _corners(rectangles: Floats) -> Floats:
    centre, angle = rectangles[:, None, :2], rectangles[:, 4]
    cosine, sine = np.cos(angle), np.sin(angle)
    along = np.stack([cosine, sine], axis=1)[:, None] * rectangles[:, None, 2:3] / 2
    down = np.stack([-sine, cosine], axis=1)[:, None] * rectangles[:, None, 3:4] / 2
    corners = [centre - along - down, centre + along - down, centre + along + down, centre - along + down]
    return np.concatenate(corners, axis=1).astype(np.float32)
