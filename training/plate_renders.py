"""Faces of fictional licence plates, seen straight on: European, American, Brazilian, Korean, plain, and two-line."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.fonts import face_at, hangul_faces, plate_faces, word_faces
from training.plate_formats import national_registration
from training.plate_texts import (
    AMERICAN,
    BRAZILIAN,
    CAPTIONS,
    OTHERS,
    SEPARATORS,
    SLOGANS,
    free_registration,
    korean_registration,
    registration,
    without_separators,
)
from training.stroke_alphabet import StrokeAlphabet, stroke_alphabet

Rgb = NDArray[np.uint8]
Colour = tuple[int, int, int]

HEIGHT_PX = 96
ALPHABETS = 1500
FREE_SHARE = 0.06  # of registrations that follow no format
GLYPH_PX = 112  # size at which faces are rasterized; lines are scaled from it
STYLES = ("european", "american", "brazilian", "plain", "korean", "two-line")
ASPECTS = {
    "european": (4.2, 4.8),
    "american": (1.9, 2.1),
    "brazilian": (2.9, 3.2),
    "plain": (2.4, 4.8),
    "korean": (4.3, 4.8),
    "two-line": (1.1, 1.7),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlateFace:
    """A drawn plate.

    Attributes:
        rgb: (h, w, 3) uint8.
        text: the registration without separators; both lines of a two-line plate.
        style: one of STYLES.
        text_xyxy: (4,) float32, where the registration stands, pixels; both lines when there are two.
        lines: the registration line by line, without separators.
        lines_xyxy: (lines, 4) float32, pixels.
    """

    rgb: Rgb
    text: str
    style: str
    text_xyxy: NDArray[np.float32]
    lines: tuple[str, ...]
    lines_xyxy: NDArray[np.float32]


def grey(rng: random.Random, low: int, high: int, spread: int = 8) -> Colour:
    """An almost neutral colour."""
    value = rng.randint(low, high)
    return tuple(min(255, max(0, value + rng.randint(-spread, spread))) for _ in range(3))  # type: ignore[return-value]


def any_colour(rng: random.Random, low: int = 0, high: int = 255) -> Colour:
    """A colour of any hue."""
    return (rng.randint(low, high), rng.randint(low, high), rng.randint(low, high))


def _palette(rng: random.Random) -> tuple[Colour, Colour]:
    kind = rng.random()
    if kind < 0.56:
        return grey(rng, 205, 255, 6), grey(rng, 0, 50, 6)
    if kind < 0.65:
        return (rng.randint(220, 255), rng.randint(180, 225), rng.randint(0, 90)), grey(rng, 0, 40, 4)
    if kind < 0.72:
        return grey(rng, 0, 60, 6), grey(rng, 200, 255, 6)
    if kind < 0.79:
        return grey(rng, 140, 215, 6), grey(rng, 0, 60, 6)
    if kind < 0.87:
        return grey(rng, 215, 255, 6), rng.choice(((20, 30, 120), (150, 20, 30), (10, 90, 40)))
    ground = any_colour(rng)
    bright = 0.3 * ground[0] + 0.59 * ground[1] + 0.11 * ground[2] > 125
    return ground, grey(rng, 0, 60, 6) if bright else grey(rng, 200, 255, 6)


@lru_cache(maxsize=6000)
def _face_glyph(character: str, path: str) -> NDArray[np.uint8]:
    face = face_at(path, GLYPH_PX)
    left, top, right, bottom = face.getbbox(character)
    glyph = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
    ImageDraw.Draw(glyph).text((-left, -top), character, font=face, fill=255)
    return np.asarray(glyph)


def _separator(character: str, height_px: int, rng: random.Random) -> NDArray[np.float32]:
    width = int(height_px * (rng.uniform(0.4, 0.9) if character == "_" else rng.uniform(0.15, 0.5)))
    mask = np.zeros((height_px, width), np.float32)
    if character == "-":
        left, right = int(width * 0.15), int(width * 0.85)
        cv2.rectangle(mask, (left, int(height_px * 0.45)), (right, int(height_px * 0.56)), 1.0, -1)
    if character == "·":
        cv2.circle(mask, (width // 2, height_px // 2), max(1, int(height_px * 0.07)), 1.0, -1)
    return mask


def line_mask(text: str, height_px: int, rng: random.Random, lettering: str | StrokeAlphabet) -> NDArray[np.float32]:
    """One line at cap height, in a face (its path) or in drawn strokes: (height_px, any) float32 opacity in 0..1."""
    gap_px = max(1, int(rng.uniform(0.02, 0.24) * height_px))
    drawn = isinstance(lettering, StrokeAlphabet)
    narrow = rng.uniform(0.85, 1.1) if drawn else rng.uniform(0.62, 1.05)
    masks = []
    for character in text:
        if character in SEPARATORS:
            masks.append(_separator(character, height_px, rng))
            continue
        glyph = lettering.glyph(character) if drawn else _face_glyph(character, lettering)
        rows, columns = np.nonzero(glyph > 30)
        if not len(rows):
            continue
        glyph = glyph[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        squeeze = min(1.0, narrow * 1.1) if character in "I1" else narrow
        size = (max(2, int(glyph.shape[1] * height_px / glyph.shape[0] * squeeze)), height_px)
        masks.append(cv2.resize(glyph, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255)
    spacer = np.zeros((height_px, gap_px), np.float32)
    return np.concatenate([part for mask in masks for part in (mask, spacer)][:-1], axis=1)


def caption(rgb: Rgb, text: str, centre: tuple[float, float], height_px: float, colour: Colour, path: str) -> Rgb:
    """Small print on a plate; returns a new array."""
    face, image = face_at(path, max(6, int(height_px * 1.3)) // 2 * 2), Image.fromarray(rgb)
    left, top, right, bottom = face.getbbox(text)
    at = (centre[0] - (right + left) / 2, centre[1] - (bottom + top) / 2)
    ImageDraw.Draw(image).text(at, text, font=face, fill=colour)
    return np.asarray(image).copy()


def _picture_ground(rgb: Rgb, rng: random.Random) -> Rgb:
    height, width = rgb.shape[:2]
    other = np.array(any_colour(rng, 120))
    blend = np.linspace(0, 1, height)[:, None, None] ** rng.uniform(0.5, 3)
    ground = np.ascontiguousarray((rgb * (1 - blend) + other * blend).astype(np.uint8))
    for _ in range(rng.randint(0, 4)):
        at = (rng.randint(0, width), rng.randint(0, height))
        axes = (rng.randint(5, width // 3), rng.randint(4, height // 3))
        tone = tuple(int(np.clip(v + rng.randint(-60, 60), 0, 255)) for v in other)
        cv2.ellipse(ground, at, axes, rng.randint(0, 180), 0, 360, tone, -1)
    return cv2.GaussianBlur(ground, (0, 0), 1.5)


def _country_bands(rgb: Rgb, country: str, rng: random.Random) -> tuple[Rgb, int, int]:
    height, width = rgb.shape[:2]
    band = int(width * rng.uniform(0.06, 0.1))
    blue = (rng.randint(0, 40), rng.randint(30, 90), rng.randint(130, 200))
    cv2.rectangle(rgb, (0, 0), (band, height), blue if rng.random() < 0.9 else any_colour(rng), -1)
    if rng.random() < 0.8:
        path = rng.choice(plate_faces())
        rgb = caption(rgb, country, (band / 2, height * 0.74), height * 0.15, (240, 240, 240), path)
    if rng.random() < 0.7:
        cv2.circle(rgb, (band // 2, int(height * 0.33)), int(band * 0.3), (230, 200, 40), max(1, height // 40))
    if rng.random() < 0.15:
        cv2.rectangle(rgb, (width - band, 0), (width, height), blue, -1)
        return rgb, band + 2, width - band - 2
    return rgb, band + 2, int(width * 0.97)


def _state_captions(rgb: Rgb, ink: Colour, rng: random.Random) -> Rgb:
    height, width = rgb.shape[:2]
    tone = rng.choice((ink, (150, 30, 40), (30, 40, 130)))
    if rng.random() < 0.85:
        at = (width / 2 + rng.uniform(-0.1, 0.1) * width, height * rng.uniform(0.1, 0.15))
        rgb = caption(rgb, rng.choice(CAPTIONS), at, height * rng.uniform(0.09, 0.17), tone, rng.choice(word_faces()))
    if rng.random() < 0.65:
        at = (width / 2, height * rng.uniform(0.88, 0.93))
        text, tall = rng.choice(SLOGANS + CAPTIONS), height * rng.uniform(0.06, 0.12)
        rgb = caption(rgb, text, at, tall, tone, rng.choice(word_faces()))
    for x in (width * 0.1, width * 0.9):
        if rng.random() < 0.4:
            corner = (int(x + width * 0.05), int(height * 0.2))
            cv2.rectangle(rgb, (int(x - width * 0.05), int(height * 0.06)), corner, any_colour(rng), -1)
    return rgb


def _brazilian_head(rgb: Rgb, ink: Colour, rng: random.Random) -> Rgb:
    height, width = rgb.shape[:2]
    if rng.random() < 0.4:
        cv2.rectangle(rgb, (0, 0), (width, int(height * 0.24)), (10, 50, 150), -1)
        text, at, tall, ink = "BRASIL", (width / 2, height * 0.12), height * 0.13, (240, 240, 240)
    else:
        text, at, tall = rng.choice(CAPTIONS), (width / 2, height * 0.15), height * 0.11
    return caption(rgb, text, at, tall, ink, rng.choice(word_faces()))


def _ink_line(rgb: Rgb, mask: NDArray[np.float32], at: tuple[int, int], ink: Colour, embossed: bool) -> None:
    x, y = at
    region = rgb[y : y + mask.shape[0], x : x + mask.shape[1]]
    opacity = mask[: region.shape[0], : region.shape[1], None]
    tone = region.astype(np.float32)
    if embossed:
        tone *= 1 - 0.35 * np.clip(np.roll(opacity, (2, 2), (0, 1)) - opacity, 0, 1)
        tone += 40 * np.clip(np.roll(opacity, (-2, -2), (0, 1)) - opacity, 0, 1)
    tone = tone * (1 - opacity) + np.array(ink, np.float32) * opacity
    region[:] = np.clip(tone, 0, 255).astype(np.uint8)


def _coat_of_arms(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> None:
    """A shield in two colours with a cross or a bar, as Slovak and Swiss plates carry."""
    half, tall = width / 2, width * rng.uniform(0.55, 0.75)
    shield = np.array([(-half, -tall), (half, -tall), (half, tall * 0.2), (0, tall), (-half, tall * 0.2)])
    ground, charge = any_colour(rng), any_colour(rng, 150)
    cv2.fillPoly(rgb, [np.round(shield + at).astype(np.int32)], ground, cv2.LINE_AA)
    x, y = round(at[0]), round(at[1])
    thick = max(1, int(width * 0.14))
    cv2.line(rgb, (x, round(at[1] - tall * 0.7)), (x, round(at[1] + tall * 0.6)), charge, thick)
    for level in (0.0, 0.3) if rng.random() < 0.5 else (0.1,):
        ends = (round(at[0] - half * 0.6), y - int(level * tall)), (round(at[0] + half * 0.6), y - int(level * tall))
        cv2.line(rgb, *ends, charge, thick)


def _seals(rgb: Rgb, mask: NDArray[np.float32], x: int, rng: random.Random) -> None:
    """Inspection seals in the widest gap of the line, where German and Czech plates carry them."""
    height, empty = rgb.shape[0], mask.max(0) < 0.1
    widest, run, end = 0, 0, 0
    for column, blank in enumerate(empty):
        run = run + 1 if blank else 0
        if run > widest and 0.1 < column / len(empty) < 0.9:
            widest, end = run, column
    if widest > height * 0.12 and rng.random() < 0.35:
        _coat_of_arms(
            rgb, (x + end - widest / 2, height * rng.uniform(0.42, 0.55)), widest * rng.uniform(0.6, 0.95), rng
        )
    elif widest > height * 0.12:
        radius = max(2, int(min(widest * 0.42, height * 0.12)))
        for level in (0.33, 0.68) if rng.random() < 0.6 else (0.5,):
            at = (x + end - widest // 2, int(height * level))
            cv2.circle(rgb, at, radius, any_colour(rng, 0, 220), -1, cv2.LINE_AA)
            if rng.random() < 0.5:
                cv2.circle(rgb, at, max(1, radius * 2 // 3), any_colour(rng, 100, 255), 1, cv2.LINE_AA)


def _registration_of(style: str, rng: random.Random) -> tuple[str, str]:
    """A country's sign and a registration with its separators."""
    if style == "korean":
        return "", korean_registration(rng)
    country, text = national_registration(rng)
    if style == "american":
        text = registration(AMERICAN, rng)
    elif style == "brazilian":
        text = registration(BRAZILIAN, rng)
    elif style != "european" and rng.random() < 0.4:
        text = registration(AMERICAN + OTHERS, rng)
    if rng.random() < FREE_SHARE:
        return "", free_registration(rng)
    return country, without_separators(text) if rng.random() < 0.1 else text


def _lines_of(style: str, text: str, rng: random.Random) -> list[str]:
    if style != "two-line":
        return [text]
    gaps = [at for at, character in enumerate(text) if character in SEPARATORS and 0 < at < len(text) - 1]
    if gaps and rng.random() < 0.6:
        at = rng.choice(gaps)
        return [text[:at], text[at + 1 :]]
    text = without_separators(text)
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def _line_heights(count: int, room_px: int, rng: random.Random) -> list[int]:
    """The room of each line; of two lines, the upper is often the smaller one."""
    if count == 1 or rng.random() < 0.6:
        return [room_px // count] * count
    upper = int(room_px * rng.uniform(0.32, 0.5))
    return [upper, room_px - upper]


def _lettering(style: str, rng: random.Random, unseen: bool) -> str | StrokeAlphabet:
    if style == "korean":
        return rng.choice(hangul_faces())
    if not unseen and rng.random() < 0.55:
        return stroke_alphabet(rng.randrange(ALPHABETS))
    return rng.choice(plate_faces(unseen))


def _wear(rgb: Rgb, ink: Colour, rng: random.Random) -> Rgb:
    height, width = rgb.shape[:2]
    if rng.random() < 0.6:
        cv2.rectangle(rgb, (2, 2), (width - 3, height - 3), ink, rng.randint(1, 3))
    for _ in range(rng.choice((0, 0, 2, 2, 4))):
        at = (int(width * rng.choice((0.08, 0.2, 0.8, 0.92))), int(height * rng.choice((0.1, 0.5, 0.9))))
        cv2.circle(rgb, at, rng.randint(2, 4), grey(rng, 60, 200), -1)
    if rng.random() < 0.3:
        seed = np.random.default_rng(rng.getrandbits(32)).random((rng.randint(2, 8), rng.randint(2, 12)), np.float32)
        dirt = cv2.resize(seed, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
        rgb = np.clip(rgb * (1 - rng.uniform(0.1, 0.5) * dirt), 0, 255).astype(np.uint8)
    return rgb


def _dealer_frame(rgb: Rgb, style: str, rng: random.Random) -> tuple[Rgb, int, int]:
    """A plastic frame round the plate; also how far the plate moved right and down in it."""
    height = rgb.shape[0]
    above, below, side = int(height * rng.uniform(0.03, 0.12)), int(height * rng.uniform(0.05, 0.22)), rng.randint(2, 8)
    tone = grey(rng, 0, 70) if rng.random() < 0.75 else any_colour(rng)
    rgb = cv2.copyMakeBorder(rgb, above, below, side, side, cv2.BORDER_CONSTANT, value=tone)
    if rng.random() < 0.6 and below > 9:
        at, path = (rgb.shape[1] / 2, rgb.shape[0] - below / 2), rng.choice(word_faces())
        rgb = caption(rgb, rng.choice(SLOGANS), at, below * 0.5, grey(rng, 150, 255), path)
    return rgb, side, above


def render_plate(rng: random.Random, style: str | None = None, unseen: bool = False) -> PlateFace:
    """Draw a fictional plate.

    Args:
        rng: every choice comes from it.
        style: one of STYLES; drawn by lot when None.
        unseen: letter it in a face that is kept out of training.
    """
    style = style or rng.choices(STYLES, (34, 24, 14, 16, 5, 7))[0]
    height, width = HEIGHT_PX, int(HEIGHT_PX * rng.uniform(*ASPECTS[style]))
    ground, ink = _palette(rng)
    rgb: Rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = ground
    country, text = _registration_of(style, rng)
    left, right, top, bottom = int(width * 0.03), int(width * 0.97), int(height * 0.12), int(height * 0.88)
    if style == "american" and rng.random() < 0.55:
        rgb, ink = _picture_ground(rgb, rng), rng.choice((grey(rng, 0, 60), (20, 30, 110), (140, 20, 30)))
    if style in {"european", "plain"} and rng.random() < 0.75:
        rgb, left, right = _country_bands(rgb, country, rng)
    if style == "american" or (style == "plain" and rng.random() < 0.2):
        top, bottom = int(height * rng.uniform(0.2, 0.32)), int(height * rng.uniform(0.74, 0.86))
        rgb = _state_captions(rgb, ink, rng)
    if style == "brazilian":
        top, bottom = int(height * 0.3), int(height * rng.uniform(0.86, 0.93))
        rgb = _brazilian_head(rgb, ink, rng)
    lines = _lines_of(style, text, rng)
    lettering, embossed, boxes = _lettering(style, rng, unseen), rng.random() < 0.4, []
    for line, line_px in zip(lines, _line_heights(len(lines), bottom - top, rng), strict=True):
        mask = line_mask(line, max(8, int(line_px * rng.uniform(0.78, 1.0))), rng, lettering)
        room, wanted = right - left - 4, mask.shape[1]
        if wanted > room or rng.random() < 0.6:
            wanted = room if wanted > room else min(room, int(wanted * rng.uniform(1, 1.35)))
            mask = cv2.resize(mask, (max(4, wanted), mask.shape[0]), interpolation=cv2.INTER_AREA)
        x = left + 2 + int((room - mask.shape[1]) * rng.uniform(0.25, 0.75))
        y = top + (line_px - mask.shape[0]) // 2
        top += line_px
        _ink_line(rgb, mask, (x, y), ink, embossed)
        boxes.append((x, y, x + mask.shape[1], y + mask.shape[0]))
        if style in {"european", "plain"} and rng.random() < 0.5:
            _seals(rgb, mask, x, rng)
        if style == "american" and len(line) > 5 and rng.random() < 0.15:
            _seals(rgb, mask, x, rng)
    rgb, right_px, down_px = _wear(rgb, ink, rng), 0, 0
    if rng.random() < 0.3:
        rgb, right_px, down_px = _dealer_frame(rgb, style, rng)
    lines_xyxy = np.array(boxes, np.float32) + np.array([right_px, down_px] * 2, np.float32)
    return PlateFace(
        rgb=rgb,
        text=without_separators(text),
        style=style,
        text_xyxy=np.concatenate([lines_xyxy[:, :2].min(0), lines_xyxy[:, 2:].max(0)]),
        lines=tuple(without_separators(line) for line in lines),
        lines_xyxy=lines_xyxy,
    )
