"""An endless supply of plate lettering: capitals and digits drawn as strokes whose proportions are chosen by lot.

Typefaces for plates are stamped or cut, with habits of their own that printing faces lack: an M whose vertex ends half
way, a W that is its mirror image, a squarish 0, a 4 that stays open. Each alphabet draws such habits once, so that its
letters belong together. No national typeface is copied.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Points = list[tuple[float, float]]
HEIGHT_PX = 72  # as tall as glyphs are drawn
SUBPIXEL_BITS = 4
WIDE, NARROW = "MW", "IJ1"


class StrokeAlphabet:
    """One style of lettering, the same for the same number. Positions are in units of the cap height, y downwards."""

    def __init__(self, number: int) -> None:
        self._number, rng = number, random.Random(number)
        self._rng = rng
        self.width = rng.triangular(0.36, 0.78, 0.52)
        self.stroke = min(rng.triangular(0.085, 0.21, 0.145), 0.34 * self.width)
        self._square = rng.choice((2.0, 2.0, 2.3, 2.8, 3.5, 5.0))  # exponent of the ovals
        self._round_ends = rng.random() < 0.35
        self._same_zero = rng.random() < 0.25
        self._flat_apex = rng.random() < 0.55
        self._middle = rng.uniform(0.44, 0.54)
        self._glyphs: dict[str, NDArray[np.uint8]] = {}
        self._w = self._left = self._right = 0.0
        self._canvas: NDArray[np.uint8] = np.zeros((1, 1), np.uint8)

    def glyph(self, character: str) -> NDArray[np.uint8]:
        """(HEIGHT_PX, any) opacity 0..255 of a capital or a digit, cut to the ink."""
        if self._same_zero and character == "0":
            character = "O"
        if character not in self._glyphs:
            self._rng = random.Random(f"{self._number}{character}")
            self._glyphs[character] = self._drawn(character)
        return self._glyphs[character]

    def _drawn(self, character: str) -> NDArray[np.uint8]:
        wider = 1.28 if character in WIDE else 0.62 if character in NARROW else 1.0
        room = self.stroke * (4.4 if character in WIDE else 1.6)  # so that heavy strokes do not run together
        self._w = max(room, self.width * wider * self._rng.uniform(0.94, 1.06))
        self._left, self._right = self.stroke / 2, self._w - self.stroke / 2
        self._canvas = np.zeros((HEIGHT_PX, math.ceil(self._w * HEIGHT_PX) + 1), np.uint8)
        _DRAWN[character](self)
        inked = np.flatnonzero(self._canvas.max(0) > 100)
        return self._canvas[:, inked[0] : inked[-1] + 1].copy()

    def line(self, *points: tuple[float, float], thick: float = 1.0) -> None:
        """A stroke along points; ends are cut square unless this alphabet rounds them."""
        way = np.array(points, np.float64)
        step = np.diff(way, axis=0)
        step /= np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-6)
        ahead = np.concatenate([step[:1], step[:-1] + step[1:], step[-1:]])
        ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
        side = np.stack([-ahead[:, 1], ahead[:, 0]], 1) * self.stroke * thick / 2
        outline = np.concatenate([way + side, (way - side)[::-1]])
        fixed = np.round(outline * HEIGHT_PX * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(self._canvas, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        if self._round_ends:
            radius = round(self.stroke * thick / 2 * HEIGHT_PX * 2**SUBPIXEL_BITS)
            for end in (points[0], points[-1]):
                at = tuple(round(value * HEIGHT_PX * 2**SUBPIXEL_BITS) for value in end)
                cv2.circle(self._canvas, at, radius, 255, -1, cv2.LINE_AA, SUBPIXEL_BITS)

    def arc(self, centre: tuple[float, float], radii: tuple[float, float], start: float, end: float) -> Points:
        """Points of an oval of this alphabet's squareness, degrees clockwise from the right."""
        points = []
        for degrees in np.linspace(start, end, max(6, int(abs(end - start) / 9))):
            cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            x = math.copysign(abs(cosine) ** (2 / self._square), cosine)
            y = math.copysign(abs(sine) ** (2 / self._square), sine)
            points.append((centre[0] + radii[0] * x, centre[1] + radii[1] * y))
        return points

    @property
    def x(self) -> tuple[float, float, float]:
        """Left, middle and right of the strokes' centre lines."""
        return self._left, self._w / 2, self._right

    @property
    def y(self) -> tuple[float, float, float]:
        """Top, middle and bottom of the strokes' centre lines."""
        return self.stroke / 2, self._middle, 1 - self.stroke / 2

    def between(self, low: float, high: float) -> float:
        """A proportion, by lot."""
        return self._rng.uniform(low, high)

    def chance(self, share: float) -> bool:
        """A habit, by lot."""
        return self._rng.random() < share

    @property
    def apex(self) -> float:
        """Half the width of a flat vertex; nearly nothing where vertices are pointed."""
        return self.stroke * (self.between(0.35, 0.6) if self._flat_apex else 0.05)


def _bowl(a: StrokeAlphabet, top: float, bottom: float, right: float, roundness: float) -> None:
    """From the stem out to the right and back."""
    left = a.x[0]
    rx = min(right - left, (bottom - top) / 2 * roundness)
    half = (bottom - top) / 2
    a.line((left, top), *a.arc((right - rx, top + half), (rx, half), -90, 90), (left, bottom))


def _stem(a: StrokeAlphabet, x: float) -> None:
    a.line((x, -0.02), (x, 1.02))


def _oval(a: StrokeAlphabet, top: float, bottom: float, inset: float = 0.0) -> None:
    left, middle, right = a.x
    radii = (max(0.02, (right - left) / 2 - inset), (bottom - top) / 2)
    a.line(*a.arc((middle, (top + bottom) / 2), radii, 0, 180))
    a.line(*a.arc((middle, (top + bottom) / 2), radii, 180, 360))


def _draw_a(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    if a.chance(0.06):  # a gate
        half = (right - left) / 2
        a.line((left, 1.02), *a.arc((middle, a.y[0] + half), (half, half), 180, 360), (right, 1.02))
        return a.line((left, a.between(0.5, 0.7)), (right, a.between(0.5, 0.7)))
    apex, foot = a.apex, a.between(0.0, 0.2) * a.stroke
    a.line((left + foot, 1.02), (middle - apex, -0.02))
    a.line((right - foot, 1.02), (middle + apex, -0.02))
    bar = a.between(0.6, 0.78)
    inset = (1 - bar) * (middle - left) * 0.9
    return a.line((left + inset, bar), (right - inset, bar), thick=0.9)


def _draw_b(a: StrokeAlphabet) -> None:
    top, middle, bottom = a.y
    right, roundness = a.x[2], a.between(0.7, 1.5)
    _stem(a, a.x[0])
    _bowl(a, top, middle, right - a.between(0, 0.06), roundness)
    _bowl(a, middle, bottom, right, roundness)


def _draw_c(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    opening, half = a.between(28, 62), (a.y[2] - a.y[0]) / 2
    a.line(*a.arc((middle, 0.5), ((right - left) / 2, half), 360 - opening, opening))


def _draw_d(a: StrokeAlphabet) -> None:
    _stem(a, a.x[0])
    _bowl(a, a.y[0], a.y[2], a.x[2], a.between(0.45, 1.1))


def _bars(a: StrokeAlphabet, levels: tuple[float, ...], shares: tuple[float, ...]) -> None:
    left, _, right = a.x
    _stem(a, left)
    for level, share in zip(levels, shares, strict=True):
        a.line((left, level), (left + (right - left + a.stroke / 2) * share, level))


def _draw_e(a: StrokeAlphabet) -> None:
    _bars(a, a.y, (1.0, a.between(0.75, 1.0), 1.0))


def _draw_f(a: StrokeAlphabet) -> None:
    _bars(a, (a.y[0], a.y[1] + a.between(0, 0.05)), (1.0, a.between(0.7, 1.0)))


def _draw_g(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half, bar = (a.y[2] - a.y[0]) / 2, a.between(0.5, 0.6)
    a.line(*a.arc((middle, 0.5), ((right - left) / 2, half), 360 - a.between(30, 55), a.between(20, 45)))
    a.line((middle + a.between(-0.05, 0.12) * (right - left), bar), (right + a.stroke / 2, bar))
    a.line((right, bar), (right, a.between(0.72, 0.86)))
    if a.chance(0.25):
        a.line((right, bar), (right, 1.0))


def _draw_h(a: StrokeAlphabet) -> None:
    _stem(a, a.x[0])
    _stem(a, a.x[2])
    level = a.y[1] + a.between(-0.03, 0.03)
    a.line((a.x[0], level), (a.x[2], level))


def _draw_i(a: StrokeAlphabet) -> None:
    _stem(a, a.x[1])
    if a.chance(0.15):
        for level in (a.y[0], a.y[2]):
            a.line((0, level), (a.x[2] + a.stroke / 2, level))


def _draw_j(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half = max(0.02, (right - left) / 2)
    reach = min(half * a.between(0.9, 1.5), 0.35)
    a.line((right, -0.02), *a.arc((middle, a.y[2] - reach), (half, reach), 0, a.between(130, 180)))
    if a.chance(0.2):
        a.line((left, a.y[0]), (right, a.y[0]))


def _draw_k(a: StrokeAlphabet) -> None:
    left, _, right = a.x
    _stem(a, left)
    join = a.between(0.52, 0.68)
    a.line((left, join), (right, -0.03))
    at = a.between(0.05, 0.4)
    a.line((left + (right - left) * at, join * (1 - at)), (right, 1.03))


def _draw_l(a: StrokeAlphabet) -> None:
    _bars(a, (a.y[2],), (1.0,))


def _vertex(a: StrokeAlphabet, flipped: bool, splay: float, depth: float) -> None:
    """Two outer strokes and a middle vertex: an M, or a W when flipped."""
    left, middle, right = a.x
    near, far, tip = (1.02, -0.02, 1 - depth) if flipped else (-0.02, 1.02, depth)
    a.line((left + splay, near), (left, far))
    a.line((right - splay, near), (right, far))
    apex = a.apex * 0.8
    a.line((left + splay, near), (middle - apex, tip), thick=0.92)
    a.line((right - splay, near), (middle + apex, tip), thick=0.92)


def _draw_m(a: StrokeAlphabet) -> None:
    splay = 0.0 if a.chance(0.8) else a.between(0.2, 0.8) * a.stroke
    _vertex(a, False, splay, a.between(0.36, 0.75) if a.chance(0.75) else a.between(0.8, 1.02))


def _draw_w(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    if a.chance(0.35):  # upright sides, a short middle
        splay = 0.0 if a.chance(0.6) else a.between(0.2, 1.0) * a.stroke
        return _vertex(a, True, splay, a.between(0.36, 0.8))
    foot, tip = (middle - left) * a.between(0.4, 0.58), a.between(-0.02, 0.6) if a.chance(0.8) else -0.02
    apex = a.apex * 0.7
    for sign, edge in ((1, left), (-1, right)):
        a.line((edge, -0.02), (edge + sign * (foot - apex * 0.5), 1.02))
        a.line((edge + sign * (foot + apex * 0.5), 1.02), (middle - sign * apex * 0.5, tip), thick=0.92)
    return None


def _draw_n(a: StrokeAlphabet) -> None:
    left, _, right = a.x
    _stem(a, left)
    _stem(a, right)
    inset = a.between(0, 0.35) * a.stroke
    a.line((left + inset, -0.02), (right - inset, 1.02))


def _draw_o(a: StrokeAlphabet) -> None:
    _oval(a, a.y[0], a.y[2])


def _draw_p(a: StrokeAlphabet) -> None:
    _stem(a, a.x[0])
    _bowl(a, a.y[0], a.between(0.5, 0.6), a.x[2], a.between(0.7, 1.5))


def _draw_q(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    _oval(a, a.y[0], a.y[2])
    reach = a.between(0.1, 0.35)
    a.line((middle + (right - left) * a.between(0.0, 0.2), 1 - reach), (right + a.stroke * 0.3, 1.02), thick=0.9)


def _draw_r(a: StrokeAlphabet) -> None:
    left, _, right = a.x
    joint = a.between(0.5, 0.58)
    _stem(a, left)
    _bowl(a, a.y[0], joint, right, a.between(0.7, 1.5))
    start = left + (right - left) * a.between(0.1, 0.65)
    a.line((start, joint), (right, 1.02))


def _draw_s(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half, centre = (right - left) / 2, a.y[1]
    upper = (a.y[0] + centre) / 2
    lower = (a.y[2] + centre) / 2
    ends = a.between(325, 345), a.between(145, 165)
    top = a.arc((middle, upper), (half * 0.95, (centre - a.y[0]) / 2), ends[0], 90)
    a.line(*top, *a.arc((middle, lower), (half, (a.y[2] - centre) / 2), -90, ends[1])[1:])


def _draw_t(a: StrokeAlphabet) -> None:
    _stem(a, a.x[1])
    a.line((0, a.y[0]), (a.x[2] + a.stroke / 2, a.y[0]))


def _draw_u(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half = (right - left) / 2
    reach = min(half * a.between(0.8, 1.4), 0.45)
    a.line((left, -0.02), *a.arc((middle, a.y[2] - reach), (half, reach), 180, 0), (right, -0.02))


def _draw_v(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    apex = a.apex
    a.line((left, -0.02), (middle - apex, 1.02))
    a.line((right, -0.02), (middle + apex, 1.02))


def _draw_x(a: StrokeAlphabet) -> None:
    left, _, right = a.x
    inset = a.between(0, 0.25) * a.stroke
    a.line((left + inset, -0.02), (right, 1.02))
    a.line((right - inset, -0.02), (left, 1.02))


def _draw_y(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    joint = a.between(0.42, 0.62)
    a.line((left, -0.02), (middle, joint))
    a.line((right, -0.02), (middle, joint))
    a.line((middle, joint - 0.03), (middle, 1.02))


def _draw_z(a: StrokeAlphabet) -> None:
    left, _, right = a.x
    top, _, bottom = a.y
    a.line((left - a.stroke / 2, top), (right + a.stroke / 2, top))
    a.line((right, top), (left, bottom))
    a.line((left - a.stroke / 2, bottom), (right + a.stroke / 2, bottom))


def _draw_0(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    _oval(a, a.y[0], a.y[2], inset=a.between(0.0, 0.16) * (right - left))
    if a.chance(0.07):
        reach = (right - left) * 0.3
        a.line((middle + reach, 0.2), (middle - reach, 0.8), thick=0.7)
    elif a.chance(0.02):
        a.line((middle, 0.42), (middle, 0.58))


def _draw_1(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    based = a.chance(0.14)
    stem = right if not based and a.chance(0.7) else middle + (right - left) * 0.2
    a.line((stem, -0.02), (stem, 1.02))
    kind = a.between(0, 1)
    if kind < 0.75:
        a.line((stem, a.between(-0.02, 0.08)), (left - a.between(0, 0.5) * a.stroke, a.between(0.16, 0.34)))
    elif kind < 0.9:
        a.line((stem, a.y[0]), (left, a.y[0]))
    if based:
        a.line((0, a.y[2]), (right + a.stroke / 2, a.y[2]))


def _draw_2(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half, reach = (right - left) / 2, a.between(0.22, 0.28)
    bow = a.arc((middle, a.y[0] + reach), (half, reach), a.between(175, 205), a.between(375, 405))
    a.line(*bow, (left + a.between(0, 0.3) * a.stroke, a.y[2]))
    a.line((left - a.stroke / 2, a.y[2]), (right + a.stroke / 2, a.y[2]))


def _draw_3(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    half, centre = (right - left) / 2, a.y[1]
    lower = a.arc((middle, (a.y[2] + centre) / 2), (half, (a.y[2] - centre) / 2), -90, a.between(145, 170))
    if a.chance(0.14):  # a flat top
        a.line((left, a.y[0]), (right, a.y[0]))
        a.line((right, a.y[0]), (middle - 0.1 * half, centre))
        return a.line((middle - half * 0.2, centre), *lower[1:])
    upper = a.arc((middle, (a.y[0] + centre) / 2), (half * 0.95, (centre - a.y[0]) / 2), a.between(190, 215), 450)
    a.line(*upper, (middle - half * a.between(0.1, 0.4), centre))
    return a.line((middle - half * 0.3, centre), *lower)


def _draw_4(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    bar, stem = a.between(0.66, 0.8), right - (right - left) * a.between(0.08, 0.35)
    a.line((left - a.stroke / 2, bar), (right + a.stroke / 2, bar))
    if a.chance(0.2):  # open
        a.line((left, bar), (middle + a.between(-0.2, 0.1) * (right - left), -0.02))
        return a.line((stem, a.between(0.35, 0.5)), (stem, 1.02))
    a.line((stem, -0.02), (stem, 1.02))
    return a.line((left, bar), (stem - a.between(0, 0.4) * a.stroke, -0.02))


def _draw_5(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    joint, half = a.between(0.36, 0.44), (right - left) / 2
    reach = (a.y[2] - joint) / 2
    a.line((left, a.y[0]), (right + a.between(0, 0.5) * a.stroke, a.y[0]))
    a.line((left, -0.0), (left, joint + a.stroke * 0.5))
    bow = a.arc((middle, joint + reach), (half, reach), -90, a.between(140, 168))
    a.line((left, joint + a.between(0, 0.3) * a.stroke), *bow)


def _draw_6(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    top = a.between(0.36, 0.46)
    _oval(a, top, a.y[2])
    if a.chance(0.35):  # a straight back
        return a.line((right - a.between(0, 0.3) * (right - left), -0.02), (left, (top + a.y[2]) / 2))
    half, reach = (right - left) / 2, (a.y[2] + top) / 2 - a.y[0]
    return a.line(*a.arc((middle, a.y[0] + reach), (half, reach), 180, a.between(290, 330)))


def _draw_7(a: StrokeAlphabet) -> None:
    left, middle, right = a.x
    foot = left + (right - left) * a.between(0.1, 0.5)
    a.line((left - a.stroke / 2, a.y[0]), (right + a.stroke / 2, a.y[0]))
    if a.chance(0.3):
        a.line((right, a.y[0]), (middle + 0.05, 0.5), (foot, 1.02))
    else:
        a.line((right, a.y[0]), (foot, 1.02))
    if a.chance(0.04):
        a.line((middle - 0.1, 0.5), (right, 0.5), thick=0.8)


def _draw_8(a: StrokeAlphabet) -> None:
    width = a.x[2] - a.x[0]
    _oval(a, a.y[0], a.y[1], inset=a.between(0, 0.1) * width)
    _oval(a, a.y[1], a.y[2])


def _draw_9(a: StrokeAlphabet) -> None:
    _draw_6(a)
    a._canvas[:] = a._canvas[::-1, ::-1]


@lru_cache(maxsize=2000)
def stroke_alphabet(number: int) -> StrokeAlphabet:
    """The alphabet of a number, kept with the glyphs it has drawn."""
    return StrokeAlphabet(number)


_DRAWN: dict[str, Callable[[StrokeAlphabet], None]] = {
    name[-1].upper(): draw for name, draw in list(globals().items()) if name.startswith("_draw_")
}
