"""Text as a camera sees it: pages on a desk, signs and plates in a street, plates that a detector cut out.

Word by word for print; a line of a plate is one word, whatever stands between its letters.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.backgrounds import Frame, drawn_background, hide_plates
from training.camera import expose, relight
from training.page_renders import Page, draw_page
from training.plate_renders import PlateFace, Rgb, any_colour, grey, render_plate

Quads = NDArray[np.float32]
TURN_DEGREES_MAX = 10.0
LEGIBLE_PX = 5.0  # lower text is neither asked for nor held against the network
VISIBLE_SHARE = 0.55  # of a word cut by the border, from which it is asked for


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextScene:
    """One picture.

    Attributes:
        rgb: (h, w, 3) uint8.
        quads: (n, 4, 2) float32, pixels: words, from the top left corner clockwise.
        legible: (n,) bool: whether it is text that can be asked for.
        texts: what the words read.
        lines: (n,) int, the line of its page or plate each word stands in.
        unknown: (m, 4, 2) float32: where small print stands that has no box, a plate's captions.
    """

    rgb: Rgb
    quads: Quads
    legible: NDArray[np.bool_]
    texts: tuple[str, ...]
    lines: NDArray[np.int64]
    unknown: Quads


class _Canvas:
    """A picture in the making."""

    def __init__(self, rgb: Rgb) -> None:
        self.rgb = rgb
        self._quads: list[Quads] = []
        self._unknown: list[Quads] = []
        self._texts: list[str] = []
        self._lines: list[int] = []
        self._covered: set[int] = set()

    def mount(self, patch: Rgb, corners: NDArray[np.float64], rng: random.Random) -> NDArray[np.float64]:
        """Warp a patch onto the picture, averaging where it shrinks; the map from its pixels to the picture's."""
        tall, wide = patch.shape[:2]
        across = np.linalg.norm(corners[1] - corners[0])
        shrink = max(1.0, wide / max(1.0, across))
        lit = relight(patch, rng) if rng.random() < 0.8 else patch
        if shrink > 1.3:
            lit = cv2.resize(
                lit, (max(2, round(wide / shrink)), max(2, round(tall / shrink))), interpolation=cv2.INTER_AREA
            )
        matrix = _between(lit.shape, corners)
        height, width = self.rgb.shape[:2]
        cv2.warpPerspective(lit, matrix, (width, height), dst=self.rgb, borderMode=cv2.BORDER_TRANSPARENT)
        outline = corners.astype(np.float32)
        for row, quad in enumerate(self._quads):
            points = [*quad, quad.mean(0)]
            if any(cv2.pointPolygonTest(outline, tuple(map(float, point)), False) > 0 for point in points):
                self._covered.add(row)
        return _between(patch.shape, corners)

    def add(self, texts: list[str], xyxy: NDArray[np.float32], lines: list[int], matrix: NDArray[np.float64]) -> None:
        """Text that was mounted."""
        if not texts:
            return
        first = max(self._lines, default=-1) + 1
        self._quads.extend(cv2.perspectiveTransform(_corners(xyxy).reshape(1, -1, 2), matrix).reshape(-1, 4, 2))
        self._texts.extend(texts)
        self._lines.extend(first + line for line in lines)

    def hide(self, quad: NDArray[np.float64]) -> None:
        """Ask for nothing here, save words that were added."""
        self._unknown.append(quad.astype(np.float32))

    def finish(self, rgb: Rgb) -> TextScene:
        """The scene, words beyond the border left out."""
        height, width = rgb.shape[:2]
        quads = np.array(self._quads, np.float32).reshape(-1, 4, 2)
        size = np.array([width, height], np.float32)
        inside = np.clip(quads, 0, size)
        low, high, cut_low, cut_high = quads.min(1), quads.max(1), inside.min(1), inside.max(1)
        share = (cut_high - cut_low).prod(1) / np.maximum((high - low).prod(1), 1e-6)
        seen = np.flatnonzero(share > 0.02)
        tall = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
        legible = (share >= VISIBLE_SHARE) & (tall >= LEGIBLE_PX)
        legible[list(self._covered)] = False
        return TextScene(
            rgb=rgb,
            quads=inside[seen],
            legible=legible[seen],
            texts=tuple(self._texts[row] for row in seen),
            lines=np.array(self._lines, np.int64)[seen] if len(seen) else np.zeros(0, np.int64),
            unknown=np.array(self._unknown, np.float32).reshape(-1, 4, 2),
        )


def _corners(xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, 4) boxes to (n, 4, 2) corners, from the top left clockwise."""
    return xyxy.astype(np.float64)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _between(shape: tuple[int, ...], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    tall, wide = shape[:2]
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix: NDArray[np.float64] = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    return matrix


def _seen_from(
    size_wh: tuple[float, float], centre: tuple[float, float], rng: random.Random, degrees: float, depth: float = 0.05
) -> NDArray[np.float64]:
    """Corners of a flat thing under a turn of normal deviation `degrees` and a little perspective."""
    width, height = size_wh
    points = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    points[:, 1] *= np.where(points[:, 0] < 0, 1, 1 + rng.uniform(-depth, depth))
    points[:, 0] *= np.where(points[:, 1] < 0, 1, 1 + rng.uniform(-depth, depth))
    angle = np.deg2rad(float(np.clip(rng.gauss(0, degrees), -TURN_DEGREES_MAX, TURN_DEGREES_MAX)))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ np.array([[1, rng.gauss(0, depth / 2)], [rng.gauss(0, depth / 2), 1]]) @ turn + centre


def _shadow(rgb: Rgb, rng: random.Random) -> Rgb:
    """A soft shadow over part of the picture; returns a new array."""
    height, width = rgb.shape[:2]
    shade = np.zeros((height // 8 + 2, width // 8 + 2), np.float32)
    corners = [(rng.randint(-10, shade.shape[1] + 10), rng.randint(-10, shade.shape[0] + 10)) for _ in range(4)]
    cv2.fillPoly(shade, [np.array(corners, np.int32)], 1.0)
    shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.6, 5))
    depth = cv2.resize(shade, (width, height)) * rng.uniform(0.15, 0.65)
    return (rgb * (1 - depth[..., None])).astype(np.uint8)


def _add_page(canvas: _Canvas, page: Page, matrix: NDArray[np.float64]) -> None:
    tall, wide = page.rgb.shape[:2]
    limits = np.array([wide, tall, wide, tall], np.float32)
    printed, cut = [], []
    for word in page.words:
        seen = np.clip(word.xyxy, 0, limits)
        whole = (seen[2:] - seen[:2]).prod() >= VISIBLE_SHARE * (word.xyxy[2:] - word.xyxy[:2]).prod()
        (printed if whole else cut).append((word, seen))
    xyxy = np.array([seen for _, seen in printed], np.float32).reshape(-1, 4)
    canvas.add([word.text for word, _ in printed], xyxy, [word.line for word, _ in printed], matrix)
    for _, seen in cut:
        canvas.hide(cv2.perspectiveTransform(_corners(seen[None]), matrix)[0])


def page_scene(
    window_wh: tuple[int, int],
    rng: random.Random,
    layout: str | None = None,
    unseen: bool = False,
    whole: bool = False,
    type_px: tuple[float, float] | None = None,
) -> TextScene:
    """A page: a scan of a part of it, or paper photographed on something.

    Args:
        window_wh: size of the picture.
        rng: every choice comes from it.
        layout: one of `page_renders.LAYOUTS`; drawn by lot when None.
        unseen: set in faces that are kept out of training.
        whole: show the whole page instead of a part of it.
        type_px: smallest and largest type; the layout's own when None.
    """
    width, height = window_wh
    if rng.random() < 0.25:
        page = draw_page(window_wh, rng, layout, unseen, type_px=type_px)
        canvas = _Canvas(page.rgb)
        _add_page(canvas, page, np.eye(3))
        return canvas.finish(expose(page.rgb, rng) if rng.random() < 0.6 else page.rgb)
    canvas = _Canvas(drawn_background(window_wh, rng))
    grown = rng.uniform(0.75, 0.92) if whole else rng.uniform(0.8, 1.3)
    page_wh = (round(width * grown), round(height * grown))
    page = draw_page(page_wh, rng, layout, unseen, type_px=type_px)
    slack = 0.02 if whole else 0.15
    centre = (width * (0.5 + rng.uniform(-slack, slack)), height * (0.5 + rng.uniform(-slack, slack)))
    corners = _seen_from(page_wh, centre, rng, rng.choice((0.5, 3.0, 6.0)))
    _add_page(canvas, page, canvas.mount(page.rgb, corners, rng))
    rgb = _shadow(canvas.rgb, rng) if rng.random() < 0.35 else canvas.rgb
    return canvas.finish(expose(rgb, rng))


def _mount_plate(canvas: _Canvas, face: PlateFace, corners: NDArray[np.float64], rng: random.Random) -> None:
    matrix = canvas.mount(face.rgb, corners, rng)
    canvas.hide(corners)
    canvas.add(list(face.lines), face.lines_xyxy, list(range(len(face.lines))), matrix)


def street_scene(
    window_wh: tuple[int, int], rng: random.Random, frames: list[Frame], unseen: bool = False
) -> TextScene:
    """A street or a drawing with signs, lettering and plates of any size on it, or with none."""
    width, height = window_wh
    canvas = _Canvas(_street(window_wh, rng, frames))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        wide = width * math.exp(rng.uniform(math.log(0.15), math.log(0.9)))
        tall = wide * rng.uniform(0.25, 1.0)
        centre = (rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height)
        corners = _seen_from((wide, tall), centre, rng, 4.0, 0.12)
        page_wh = (round(max(40, wide)), round(max(24, tall)))
        layout = rng.choice(("sign", "sign", "sign", "serial plate", "letter"))
        page = draw_page(page_wh, rng, layout, unseen, scale=rng.uniform(0.5, 1.2))
        _add_page(canvas, page, canvas.mount(page.rgb, corners, rng))
    if rng.random() < 0.5:
        face = render_plate(rng, "two-line" if rng.random() < 0.4 else None, unseen)
        tall, wide = face.rgb.shape[:2]
        shown = width * math.exp(rng.uniform(math.log(0.12), math.log(1.0)))
        centre = (rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height)
        corners = _seen_from((shown, shown * tall / wide), centre, rng, 4.0, 0.12)
        _mount_plate(canvas, face, corners, rng)
    return canvas.finish(expose(canvas.rgb, rng))


def _street(size_wh: tuple[int, int], rng: random.Random, frames: list[Frame]) -> Rgb:
    """Part of a photograph whose plates are painted over, or a drawing."""
    width, height = size_wh
    if not frames or rng.random() < 0.5:
        return drawn_background(size_wh, rng)
    frame = rng.choice(frames)
    tall, wide = frame.rgb.shape[:2]
    zoom = min(rng.uniform(0.4, 1.6), wide / width, tall / height)
    cut_w, cut_h = int(width * zoom), int(height * zoom)
    left, top = rng.randint(0, wide - cut_w), rng.randint(0, tall - cut_h)
    cut = frame.rgb[top : top + cut_h, left : left + cut_w]
    cut = hide_plates(cut, frame.plates_xyxy - np.array([left, top, left, top], np.float32), rng)
    return np.ascontiguousarray(
        cv2.resize(cut, size_wh, interpolation=cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR)
    )


def plate_crop(
    size_max_wh: tuple[int, int],
    rng: random.Random,
    frames: list[Frame],
    style: str | None = None,
    unseen: bool = False,
    tight: bool | None = None,
) -> TextScene:
    """A plate as a detector cuts it out, with or without a margin, as large as fits.

    Args:
        size_max_wh: largest size of the picture, pixels; one of its sides is reached, or up to a half of it.
        rng: every choice comes from it.
        frames: photographs to stand plates in; may be empty.
        style: one of `plate_renders.STYLES`; drawn by lot when None.
        unseen: letter it in a face that is kept out of training.
        tight: cut at the border of the plate; by lot when None.
    """
    face = render_plate(rng, style, unseen)
    tall, wide = face.rgb.shape[:2]
    outline = _seen_from((wide, tall), (0, 0), rng, 3.5, 0.1)
    if tight or (tight is None and rng.random() < 0.6):
        margins = [side * rng.uniform(-0.02, 0.15) for side in (wide, tall, wide, tall)]
    else:
        margins = [side * rng.uniform(0.0, 1.0) for side in (wide, tall, wide, tall)]
    low = outline.min(0) - np.array(margins[:2])
    crop_wh = outline.max(0) + np.array(margins[2:]) - low
    scale = float((np.array(size_max_wh) / crop_wh).min()) * (1.0 if rng.random() < 0.6 else rng.uniform(0.5, 1.0))
    width, height = (max(16, round(side * scale)) for side in crop_wh)
    canvas = _Canvas(_street((width, height), rng, frames))
    _mount_plate(canvas, face, (outline - low) * scale, rng)
    # What a detector cut out was often smaller than it is shown here.
    blurred = rng.uniform(0.25, 0.8)
    rgb = canvas.rgb
    if rng.random() < 0.5:
        small = (max(12, int(width * blurred)), max(8, int(height * blurred)))
        rgb = cv2.resize(expose(cv2.resize(rgb, small, interpolation=cv2.INTER_AREA), rng), (width, height))
    else:
        rgb = expose(rgb, rng)
    return canvas.finish(rgb)


def word_crop(size_max_wh: tuple[int, int], rng: random.Random, unseen: bool = False) -> TextScene:
    """A small cutting with one to four lines of print."""
    width = round(size_max_wh[0] * rng.uniform(0.5, 1.0))
    height = round(size_max_wh[1] * rng.uniform(0.3, 1.0))
    rgb: Rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = grey(rng, 180, 255) if rng.random() < 0.7 else any_colour(rng, 130)
    canvas = _Canvas(rgb)
    page_wh = (round(width * 1.05), round(height * 1.05))
    page = draw_page(page_wh, rng, rng.choice(("sign", "serial plate", "letter", "receipt")), unseen, scale=1.3)
    corners = _seen_from(page_wh, (width / 2, height / 2), rng, 3.0)
    _add_page(canvas, page, canvas.mount(page.rgb, corners, rng))
    return canvas.finish(expose(canvas.rgb, rng))
