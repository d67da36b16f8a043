"""Things on cars that look like plates to a detector that has not met them: lamps, mirrors, badges, stickers, vents."""

from __future__ import annotations

import random
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.car_parts import emblem, grille, lamp_pair, reflector, road_sign, tail_lamp, van_lettering
from training.fonts import word_faces
from training.plate_renders import Rgb, any_colour, caption, grey
from training.plate_texts import SIGNS, SLOGANS, printed_word

Box = tuple[float, float, float, float]


def _lens(half_wh: tuple[float, float], rng: random.Random) -> NDArray[np.float64]:
    """A rounded, slanted outline round the origin, as headlamps have."""
    power, slant = rng.choice((2.0, 3.0, 4.0, 8.0)), rng.uniform(-0.35, 0.35)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / power)
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / power)
    taper = 1 + rng.uniform(-0.5, 0.5) * x
    return np.stack([x * half_wh[0], y * half_wh[1] * taper + slant * x * half_wh[1]], 1)


def _fill(rgb: Rgb, outline: NDArray[np.float64], tone: tuple[int, ...]) -> None:
    cv2.fillPoly(rgb, [np.round(outline).astype(np.int32)], tone, cv2.LINE_AA)


def headlamp(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """Glass over reflectors, sometimes lit, often with an orange corner."""
    half = (width / 2, width * rng.uniform(0.14, 0.38))
    outline, height = _lens(half, rng), half[1]
    _fill(rgb, outline * 1.08 + at, grey(rng, 10, 110))
    glass = grey(rng, 110, 240)
    _fill(rgb, outline + at, glass)
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(outline + at).astype(np.int32)], 1)
    drawn = rgb.copy()
    for _ in range(rng.randint(0, 3)):
        centre = (int(at[0] + rng.uniform(-0.7, 0.7) * half[0]), int(at[1] + rng.uniform(-0.3, 0.3) * height))
        radius = max(1, int(height * rng.uniform(0.4, 0.9)))
        cv2.circle(drawn, centre, radius, grey(rng, 60, 255), -1, cv2.LINE_AA)
        cv2.circle(drawn, centre, max(1, radius // 2), grey(rng, 30, 255), max(1, radius // 6), cv2.LINE_AA)
    if rng.random() < 0.4:
        for x in np.arange(at[0] - half[0], at[0] + half[0], max(3.0, width / rng.randint(6, 18))):
            ends = (int(x), int(at[1] - height * 1.5)), (int(x), int(at[1] + height * 1.5))
            cv2.line(drawn, *ends, tuple(max(0, v - 25) for v in glass), 1)
    if rng.random() < 0.5:
        side = rng.choice((-1, 1))
        corner = np.array([(0.55, -2), (1.2, -2), (1.2, 2), (0.6, 2)]) * [side * half[0], height]
        _fill(drawn, corner + at, (rng.randint(200, 250), rng.randint(90, 150), rng.randint(10, 60)))
    if rng.random() < 0.3:
        shine = np.zeros(rgb.shape[:2], np.float32)
        cv2.circle(shine, (int(at[0]), int(at[1])), max(1, int(height / 2)), 1.0, -1)
        lit = drawn + cv2.GaussianBlur(shine, (0, 0), max(1.0, height / 2))[..., None] * 160
        drawn = np.clip(lit, 0, 255).astype(np.uint8)
    return np.where(inside[..., None] > 0, drawn, rgb)


def mirror(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A dark rim with something pale in it."""
    outline = _lens((width / 2, width * rng.uniform(0.25, 0.42)), rng)
    _fill(rgb, outline * 1.2 + at, grey(rng, 0, 70))
    _fill(rgb, outline * rng.uniform(0.75, 0.95) + at, grey(rng, 70, 200, 20))
    if rng.random() < 0.6:
        level = at[1] + width * rng.uniform(-0.1, 0.1)
        _fill(rgb, outline * [0.8, 0.3] + [at[0], level], grey(rng, 60, 220))
    return rgb


def badge(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """The maker's name in metal, bare or in an oval; no ground of its own."""
    text = printed_word(rng)[:9] if rng.random() < 0.7 else rng.choice(SIGNS)
    height = max(4.0, width / max(2, len(text)) * rng.uniform(0.9, 1.6))
    if rng.random() < 0.3:
        outline = _lens((width * 0.62, height * 1.1), rng)
        _fill(rgb, outline + at, grey(rng, 0, 255))
        _fill(rgb, outline * 0.9 + at, grey(rng, 0, 200, 30))
    tone = grey(rng, 120, 255) if rng.random() < 0.8 else grey(rng, 0, 60)
    return caption(rgb, text.upper() if rng.random() < 0.7 else text, at, height, tone, rng.choice(word_faces()))


def sticker(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A coloured advertisement of two short lines, or with a picture."""
    height = width * rng.uniform(0.3, 0.8)
    low, high = (int(at[0] - width / 2), int(at[1] - height / 2)), (int(at[0] + width / 2), int(at[1] + height / 2))
    cv2.rectangle(rgb, low, high, any_colour(rng), -1)
    if rng.random() < 0.5:
        cv2.rectangle(rgb, low, (high[0], int(at[1])), any_colour(rng), -1)
    ink = any_colour(rng, 180) if rng.random() < 0.6 else any_colour(rng, 0, 70)
    for level in (-0.25, 0.25):
        if rng.random() < 0.7:
            text = rng.choice(SLOGANS).split()[0][:7]
            place = (at[0], at[1] + level * height)
            rgb = caption(rgb, text, place, min(height * 0.3, width / len(text)), ink, rng.choice(word_faces()))
        else:
            centre = (int(at[0] + rng.uniform(-0.3, 0.3) * width), int(at[1] + level * height))
            cv2.circle(rgb, centre, max(1, int(height * 0.2)), any_colour(rng), -1)
    return rgb


def vent(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A fog lamp's niche, an exhaust, a dark gap in the bumper."""
    outline = _lens((width / 2, width * rng.uniform(0.15, 0.45)), rng)
    _fill(rgb, outline + at, grey(rng, 0, 60))
    if rng.random() < 0.5:
        _fill(rgb, outline * rng.uniform(0.3, 0.7) + at, grey(rng, 30, 230))
    return rgb


DECOYS: tuple[Callable[[Rgb, tuple[float, float], float, random.Random], Rgb], ...] = (
    *(headlamp, headlamp, mirror, badge, badge, badge, sticker, vent, grille, grille, emblem, emblem),
    *(tail_lamp, tail_lamp, lamp_pair, reflector, van_lettering, road_sign),
)


def scatter_decoys(rgb: Rgb, plates_xyxy: list[NDArray[np.float32]], count: int, rng: random.Random) -> Rgb:
    """Add decoys where no plate is; returns a new array."""
    height, width = rgb.shape[:2]
    for _ in range(count):
        size = float(np.exp(rng.uniform(np.log(14), np.log(width * 0.55))))
        at = (rng.uniform(0, width), rng.uniform(0, height))
        around: Box = (at[0] - size, at[1] - size * 0.8, at[0] + size, at[1] + size * 0.8)
        if any(b[0] < around[2] and b[2] > around[0] and b[1] < around[3] and b[3] > around[1] for b in plates_xyxy):
            continue
        rgb = rng.choice(DECOYS)(rgb.copy(), at, size, rng)
    return rgb
