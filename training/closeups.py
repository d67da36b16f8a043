"""Cars that fill the picture: paint that mirrors its surroundings, lamps, grilles, names, and a place for the plate."""

from __future__ import annotations

import random

import cv2
import numpy as np

from training.car_parts import emblem, grille, lamp_pair, metal, reflector, tail_lamp, van_lettering
from training.decoys import badge, headlamp, mirror, sticker, vent
from training.plate_renders import Rgb, any_colour, grey


def _painted(size: int, rng: random.Random) -> Rgb:
    """A sheet of paint: light from above, a soft horizon, a gleam."""
    paint = np.array(grey(rng, 8, 250) if rng.random() < 0.6 else any_colour(rng, 5, 235), np.float32)
    knots = np.array([rng.uniform(0.55, 1.35) for _ in range(rng.randint(3, 7))])
    levels = np.interp(np.linspace(0, len(knots) - 1, size), range(len(knots)), knots)
    slope = np.linspace(rng.uniform(0.8, 1.0), rng.uniform(0.8, 1.0), size)
    tone = levels[:, None, None] * slope[None, :, None] * paint + rng.uniform(0, 18)
    if rng.random() < 0.4:
        gleam = np.zeros((size, size), np.float32)
        ends = [(rng.randint(0, size), rng.randint(0, size)) for _ in range(2)]
        cv2.line(gleam, *ends, 1.0, rng.randint(2, 16))
        tone += cv2.GaussianBlur(gleam, (0, 0), rng.uniform(2, 14))[..., None] * rng.uniform(30, 120)
    return np.clip(tone, 0, 255).astype(np.uint8)


def _seam(rgb: Rgb, points: list[tuple[float, float]], rng: random.Random) -> None:
    line = np.round(np.array(points)).astype(np.int32)
    cv2.polylines(rgb, [line], False, grey(rng, 0, 60), rng.choice((1, 1, 2, 3)), cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.polylines(rgb, [line + np.array([0, 2])], False, grey(rng, 140, 255), 1, cv2.LINE_AA)


def _glass(rgb: Rgb, centre: float, level: float, width: float, rng: random.Random) -> None:
    """The window above the bonnet or the boot, with what it mirrors."""
    tall = width * rng.uniform(0.25, 0.45)
    low, high = width * rng.uniform(0.4, 0.46), width * rng.uniform(0.28, 0.4)
    outline = np.array([(-low, 0), (-high, -tall), (high, -tall), (low, 0)]) + np.array([centre, level])
    cv2.fillPoly(rgb, [np.round(outline).astype(np.int32)], grey(rng, 5, 110, 15), cv2.LINE_AA)
    for _ in range(rng.randint(0, 3)):
        at = centre + rng.uniform(-0.8, 0.8) * high, level - tall * rng.uniform(0.2, 0.8)
        axes = (max(2, int(width * rng.uniform(0.02, 0.12))), max(2, int(tall * rng.uniform(0.05, 0.3))))
        cv2.ellipse(rgb, (int(at[0]), int(at[1])), axes, 0, 0, 360, grey(rng, 20, 200), -1, cv2.LINE_AA)
    if rng.random() < 0.6:
        wiper = (int(centre), int(level)), (int(centre + rng.uniform(-0.4, 0.4) * width), int(level - tall * 0.15))
        cv2.line(rgb, *wiper, grey(rng, 0, 40), max(1, int(width / 120)), cv2.LINE_AA)


def _front(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    x, y = at
    lamp = rng.choice((headlamp, headlamp, headlamp, lamp_pair))
    state, spread, out = rng.getstate(), width * rng.uniform(0.16, 0.27), width * rng.uniform(0.33, 0.4)
    for side in (-1, 1):
        rng.setstate(state)  # both lamps of a car are alike
        rgb = lamp(rgb, (x + side * out, y), spread, rng)
    if rng.random() < 0.8:
        rgb = grille(rgb, (x, y + width * rng.uniform(-0.02, 0.05)), width * rng.uniform(0.2, 0.5), rng)
    if rng.random() < 0.6:
        rgb = emblem(rgb, (x, y - width * rng.uniform(0.0, 0.1)), width * rng.uniform(0.03, 0.07), rng)
    if rng.random() < 0.4:
        rgb = badge(rgb, (x + width * rng.uniform(-0.25, 0.25), y), width * rng.uniform(0.06, 0.2), rng)
    for side in (-1, 1):
        if rng.random() < 0.5:
            rgb = vent(rgb, (x + side * width * 0.36, y + width * rng.uniform(0.17, 0.25)), width * 0.13, rng)
    if rng.random() < 0.5:
        rgb = grille(rgb, (x, y + width * rng.uniform(0.24, 0.3)), width * rng.uniform(0.25, 0.55), rng)
    if rng.random() < 0.5:
        rgb = mirror(rgb, (x + rng.choice((-1, 1)) * width * 0.52, y - width * 0.25), width * 0.11, rng)
    return rgb


def _rear(rgb: Rgb, at: tuple[float, float], width: float, rng: random.Random) -> Rgb:
    x, y = at
    state, size, out = rng.getstate(), width * rng.uniform(0.1, 0.22), width * rng.uniform(0.34, 0.42)
    for side in (-1, 1):
        rng.setstate(state)
        rgb = tail_lamp(rgb, (x + side * out, y), size, rng)
    for side in (-1, 1):
        if rng.random() < 0.55:
            place = (x + side * width * rng.uniform(0.12, 0.3), y + width * rng.uniform(-0.08, 0.05))
            rgb = badge(rgb, place, width * rng.uniform(0.05, 0.16), rng)
        if rng.random() < 0.4:
            low = (x + side * width * 0.36, y + width * rng.uniform(0.18, 0.26))
            rgb = reflector(rgb, low, width * rng.uniform(0.08, 0.16), rng)
        if rng.random() < 0.25:
            rgb = vent(rgb, (x + side * width * 0.3, y + width * 0.3), width * rng.uniform(0.05, 0.1), rng)
    if rng.random() < 0.7:
        rgb = emblem(rgb, (x, y - width * rng.uniform(0.03, 0.1)), width * rng.uniform(0.03, 0.06), rng)
    if rng.random() < 0.35:
        level = y + width * rng.uniform(-0.06, 0.04)
        bar = np.array([(-0.16, -0.012), (0.16, -0.012), (0.16, 0.012), (-0.16, 0.012)]) * width + (x, level)
        metal(rgb, bar, rng)
    if rng.random() < 0.3:
        side = (x + rng.choice((-1, 1)) * width * 0.25, y - width * rng.uniform(0.05, 0.3))
        rgb = sticker(rgb, side, width * rng.uniform(0.04, 0.12), rng)
    return rgb


def draw_closeup(rgb: Rgb, rng: random.Random) -> tuple[Rgb, tuple[float, float, float]]:
    """A car over a background: the picture, and where the plate belongs: centre x, y and width, pixels."""
    side = rgb.shape[0]
    width = float(np.exp(rng.uniform(np.log(0.6 * side), np.log(3.0 * side))))
    x, y = side * rng.uniform(0.1, 0.9), side * rng.uniform(0.15, 0.75)
    body: Rgb = _painted(side, rng)
    half, roof, sill = width * 0.5, y - width * rng.uniform(0.35, 0.6), y + width * rng.uniform(0.3, 0.42)
    shoulder = y - width * rng.uniform(0.1, 0.18)
    flank = [(half, sill), (half, shoulder), (half * 0.75, roof)]
    shape = np.array([(-across, level) for across, level in flank] + flank[::-1]) + np.array([x, 0])
    inside = np.zeros((side, side), np.uint8)
    cv2.fillPoly(inside, [np.round(shape).astype(np.int32)], 1)
    _glass(body, x, shoulder, width, rng)
    bumper = y + width * rng.uniform(0.1, 0.16)
    if rng.random() < 0.4:
        body[max(0, int(bumper)) : max(0, int(bumper + width * rng.uniform(0.08, 0.2)))] = grey(rng, 10, 90)
    for _ in range(rng.randint(1, 4)):
        level, sag = y + width * rng.uniform(-0.12, 0.3), width * rng.uniform(-0.03, 0.03)
        _seam(
            body, [(x - half, level), (x - half / 3, level + sag), (x + half / 3, level + sag), (x + half, level)], rng
        )
    body = (_front if rng.random() < 0.5 else _rear)(body, (x, y), width, rng)
    if rng.random() < 0.12:
        place = (x + width * rng.uniform(-0.2, 0.2), y - width * rng.uniform(0.05, 0.3))
        body = van_lettering(body, place, width * rng.uniform(0.2, 0.6), rng)
    plate = width * rng.uniform(0.22, 0.36)
    spot = (x + width * rng.choice((0, 0, 0, rng.uniform(-0.2, 0.2))), y + width * rng.uniform(0.03, 0.24))
    if rng.random() < 0.4:  # the recess in which the plate is held
        grow, tall = plate * rng.uniform(0.52, 0.75), plate * rng.uniform(0.14, 0.3)
        recess = np.array([(-grow, -tall), (grow, -tall), (grow * 0.95, tall), (-grow * 0.95, tall)]) + spot
        tone = tuple(int(v) for v in body[int(np.clip(spot[1], 0, side - 1)), int(np.clip(spot[0], 0, side - 1))] * 0.6)
        cv2.fillPoly(body, [np.round(recess).astype(np.int32)], tone, cv2.LINE_AA)
    return np.where(inside[..., None] > 0, body, rgb), (*spot, plate)
