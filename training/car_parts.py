"""Parts of cars and things beside them, seen near: what a detector that met only far cars takes for plates."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.fonts import word_faces
from training.plate_formats import fill
from training.plate_renders import Colour, Rgb, any_colour, caption, grey
from training.plate_texts import CAPTIONS, SIGNS, SLOGANS, printed_word

PHONES = ("DDDD DDD DDD", "DDD-DDD-DDDD", "+DD DDD DDD DDD", "(DD) DDDD-DDDD", "www.LLLLL.example", "DDDD/DDDDDD")


def _points(outline: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(outline).astype(np.int32)


def _frame(at: tuple[float, float], half_wh: tuple[float, float], taper: float, round_: float) -> NDArray[np.float64]:
    """A rectangle with round corners, narrower below by `taper`."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x, y = (np.sign(f(angle)) * np.abs(f(angle)) ** round_ for f in (np.cos, np.sin))
    return np.stack([x * half_wh[0] * (1 - taper * (y + 1) / 2), y * half_wh[1]], 1) + at


def metal(rgb: Rgb, outline: NDArray[np.float64], rng: random.Random) -> None:
    """Fill an outline, in place, with what polished metal mirrors: sky above, a dark horizon, ground."""
    x0, y0 = np.maximum(outline.min(0).astype(int), 0)
    x1, y1 = np.minimum(outline.max(0).astype(int) + 2, [rgb.shape[1], rgb.shape[0]])
    if x1 <= x0 or y1 <= y0:
        return
    levels = np.array([rng.randint(180, 255), rng.randint(130, 220), rng.randint(30, 120), rng.randint(90, 200)])
    tone = np.interp(np.linspace(0, 3, y1 - y0), range(4), levels)[:, None, None].astype(np.float32)
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [_points(outline - [x0, y0])], 255, cv2.LINE_AA)
    blend = mask[..., None] / np.float32(255)
    rgb[y0:y1, x0:x1] = (rgb[y0:y1, x0:x1] * (1 - blend) + tone * blend).astype(np.uint8)


def grille(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """Bars or mesh in a frame of metal or plastic; sometimes in two halves, sometimes with an emblem."""
    half = (width / 2, width * rng.uniform(0.08, 0.3))
    outer = _frame(at, half, rng.uniform(-0.1, 0.3), rng.choice((0.15, 0.3, 0.6)))
    if rng.random() < 0.6:
        metal(rgb, outer, rng)
    else:
        cv2.fillPoly(rgb, [_points(outer)], grey(rng, 10, 90), cv2.LINE_AA)
    inner = (outer - at) * [1 - rng.uniform(0.04, 0.12), 1 - rng.uniform(0.1, 0.3)] + at
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(inside, [_points(inner)], 1)
    pattern: Rgb = np.empty_like(rgb)
    pattern[:] = grey(rng, 5, 60)
    bar, thick = grey(rng, 40, 210), max(1, int(width * rng.uniform(0.004, 0.02)))
    kind, (x0, y0), (x1, y1) = rng.random(), inner.min(0), inner.max(0)
    if kind < 0.7:
        for level in np.linspace(y0, y1, rng.randint(3, 9)):
            cv2.line(pattern, (int(x0), int(level)), (int(x1), int(level)), bar, thick)
    if kind > 0.4:
        for column in np.linspace(x0, x1, rng.randint(8, 34)):
            cv2.line(pattern, (int(column), int(y0)), (int(column), int(y1)), bar, thick)
    rgb = np.where(inside[..., None] > 0, pattern, rgb)
    if rng.random() < 0.25:
        metal(rgb, _frame(at, (width * 0.04, half[1]), 0, 0.2), rng)
    return emblem(rgb, at, half[1] * rng.uniform(1.0, 1.8), rng) if rng.random() < 0.4 else rgb


def emblem(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A maker's sign: rings, a shield, a ring with strokes in it, a figure without a ring."""
    radius, kind, tone = max(2, int(width / 2)), rng.random(), grey(rng, 130, 255)
    x, y, thick = int(at[0]), int(at[1]), max(1, int(width * rng.uniform(0.06, 0.14)))
    if kind < 0.25:
        for step in range(rng.choice((2, 3, 4, 4))):
            cv2.circle(rgb, (x + int((step - 1.5) * radius * 1.4), y), radius, tone, thick, cv2.LINE_AA)
        return rgb
    if kind < 0.6:
        cv2.circle(rgb, at := (x, y), radius, grey(rng, 0, 255, 40), -1, cv2.LINE_AA)
        cv2.circle(rgb, at, radius, tone, thick, cv2.LINE_AA)
    elif kind < 0.8:
        metal(rgb, _frame(at, (width * rng.uniform(0.5, 0.9), width * 0.45), rng.uniform(0, 0.6), 0.5), rng)
    for _ in range(rng.randint(2, 6)):
        ends = [(x + int(rng.uniform(-0.7, 0.7) * radius), y + int(rng.uniform(-0.7, 0.7) * radius)) for _ in range(2)]
        cv2.line(rgb, *ends, tone if rng.random() < 0.6 else grey(rng, 0, 120), thick, cv2.LINE_AA)
    return rgb


def tail_lamp(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """Red glass, often with amber and white parts, ribs, and a bulb that may shine."""
    half = (width / 2, width * rng.choice((0.12, 0.2, 0.35, 0.8)) * rng.uniform(0.8, 1.2))
    outline = _frame(at, half, rng.uniform(-0.4, 0.4), rng.choice((0.15, 0.3, 0.8)))
    inside = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(rgb, [_points((outline - at) * 1.06 + at)], grey(rng, 0, 60), cv2.LINE_AA)
    cv2.fillPoly(inside, [_points(outline)], 1)
    glass: Rgb = np.empty_like(rgb)
    glass[:] = (rng.randint(110, 220), rng.randint(5, 50), rng.randint(5, 50))
    upright = rng.random() < 0.5
    for tone in ((220, 120, 30), (225, 220, 215), (150, 15, 20)):
        if rng.random() < 0.5:
            share = np.sort([rng.uniform(-1, 1), rng.uniform(-1, 1)])
            low, high = (at[0] + share[0] * half[0], at[0] + share[1] * half[0]) if upright else (at[0] - half[0], 9999)
            top, end = (at[1] - half[1], 9999) if upright else (at[1] + share[0] * half[1], at[1] + share[1] * half[1])
            glass[max(0, int(top)) : max(0, int(end)), max(0, int(low)) : max(0, int(high))] = tone
    if rng.random() < 0.4:
        for level in np.arange(at[1] - half[1], at[1] + half[1], max(2.0, half[1] / rng.randint(2, 8))):
            cv2.line(glass, (0, int(level)), (glass.shape[1], int(level)), (90, 10, 15), 1)
    rgb = np.where(inside[..., None] > 0, glass, rgb)
    if rng.random() < 0.35:
        shine = np.zeros(rgb.shape[:2], np.float32)
        cv2.circle(shine, (int(at[0]), int(at[1])), max(1, int(min(half) * 0.7)), 1.0, -1)
        glow = cv2.GaussianBlur(shine, (0, 0), max(1.0, min(half) * rng.uniform(0.3, 1.2)))
        rgb = np.clip(rgb + glow[..., None] * np.array((260, 140, 120)), 0, 255).astype(np.uint8)
    return rgb


def lamp_pair(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """Two round lamps side by side in a panel, as older cars have."""
    half = (width / 2, width * rng.uniform(0.2, 0.3))
    outline = _frame(at, half, 0, 0.2)
    cv2.fillPoly(rgb, [_points(outline)], grey(rng, 5, 200), cv2.LINE_AA)
    for side in (-1, 1):
        centre, radius = (int(at[0] + side * half[0] * 0.48), int(at[1])), max(2, int(half[1] * 0.85))
        cv2.circle(rgb, centre, radius, grey(rng, 140, 255), -1, cv2.LINE_AA)
        cv2.circle(rgb, centre, int(radius * 0.85), grey(rng, 90, 230), -1, cv2.LINE_AA)
        cv2.circle(rgb, (centre[0] - radius // 4, centre[1] - radius // 4), max(1, radius // 4), (250, 250, 250), -1)
    return rgb


def reflector(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A flat strip: a reflector, a bumper's rubber, a bar of chrome."""
    outline = _frame(at, (width / 2, width * rng.uniform(0.04, 0.14)), rng.uniform(-0.1, 0.1), rng.choice((0.1, 0.4)))
    if rng.random() < 0.3:
        metal(rgb, outline, rng)
        return rgb
    tones: tuple[Colour, ...] = ((170, 25, 25), (215, 110, 30), grey(rng, 5, 70), grey(rng, 5, 70))
    cv2.fillPoly(rgb, [_points(outline)], rng.choice(tones), cv2.LINE_AA)
    return rgb


def van_lettering(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A telephone number, an address, a firm's name straight on the paint: letters without a ground of their own."""
    lines = [
        rng.choice(
            (fill(rng.choice(PHONES), rng), rng.choice(SLOGANS), printed_word(rng).upper(), rng.choice(CAPTIONS))
        )
        for _ in range(rng.choice((1, 1, 2, 3)))
    ]
    ink, path = grey(rng, 0, 255, 60), rng.choice(word_faces())
    height = width / max(6, *(len(line) for line in lines)) * 1.5
    for row, line in enumerate(lines):
        rgb = caption(rgb, line, (at[0], at[1] + (row - (len(lines) - 1) / 2) * height * 1.6), height, ink, path)
    return rgb


def road_sign(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    """A board with places, an arrow, or a number in a ring."""
    half = (width / 2, width * rng.uniform(0.25, 0.7))
    ground: tuple[Colour, ...] = ((20, 60, 150), (10, 90, 60), (235, 235, 230), (225, 190, 40), (120, 70, 30))
    tone = rng.choice(ground)
    ink = grey(rng, 230, 255) if sum(tone) < 400 else grey(rng, 0, 40)
    outline = _frame(at, half, 0, rng.choice((0.1, 0.2)))
    cv2.fillPoly(rgb, [_points(outline)], ink, cv2.LINE_AA)
    cv2.fillPoly(rgb, [_points((outline - at) * [0.95, 0.9] + at)], tone, cv2.LINE_AA)
    if rng.random() < 0.4:
        x, y, reach = int(at[0] + half[0] * rng.uniform(-0.5, 0.5)), int(at[1]), int(half[1] * 0.6)
        cv2.arrowedLine(rgb, (x, y + reach), (x, y - reach), ink, max(1, int(width / 25)), tipLength=0.4)
        return rgb
    for level in np.linspace(-0.5, 0.5, rng.choice((2, 3))):
        text = printed_word(rng).capitalize() if rng.random() < 0.8 else rng.choice(SIGNS)
        height = min(half[1] * 0.4, width / max(4, len(text)))
        rgb = caption(rgb, text, (at[0], at[1] + level * half[1]), height, ink, rng.choice(word_faces()))
    if rng.random() < 0.2:
        cv2.circle(rgb, (int(at[0]), int(at[1])), int(half[1] * 0.8), any_colour(rng), max(1, int(half[1] * 0.2)))
    return rgb
