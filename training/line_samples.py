"""Lines of text as the recognizer gets them, drawn straight: no street round them, no localizer.

A whole crop costs ten times as much as the letters on it. Here a face is drawn once and photographed several times, at
the few pixels that a crop leaves of it, framed about as well as the localizer frames lines.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.camera import expose, noise_like, relight
from training.crop_samples import (
    INPUT_WH,
    MARGIN_ACROSS,
    MARGIN_ALONG,
    ONE_LINE,
    WIDENED,
    draw_stand,
    render_word,
)
from training.plate_renders import PlateFace, Rgb, grey, render_plate

LINE_WH = (128, 32)
VIEWS = 3
BESIDE = 0.25  # ground round a face that may come into a frame, share of its height
# How far the localizer's frames are from the true ones, in half sides: centre x, y, length, height, slope, slant.
# Measured on 300 crops; errors have long tails.
FRAME_ERROR = (0.022, 0.026, 0.036, 0.042, 0.035, 0.031)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineSample:
    """One line.

    Attributes:
        rgb: (32, 128, 3) uint8.
        text: what stands in it; empty for two lines, which are not to be read as one.
    """

    rgb: Rgb
    text: str


def _error(rng: random.Random, deviation: float) -> float:
    return rng.gauss(0, deviation) * (1 if rng.random() < 0.75 else 2.2)


def _framed(corners: NDArray[np.float32], rng: random.Random) -> NDArray[np.float32]:
    """Top left, top right and bottom left of a frame that is about right."""
    centre = corners.mean(0)
    along = (corners[1] + corners[2] - corners[0] - corners[3]) / 4
    down = (corners[2] + corners[3] - corners[0] - corners[1]) / 4
    x, y, length, height, slope, slant = (_error(rng, deviation) for deviation in FRAME_ERROR)
    centre = centre + x * along + y * down
    along, down = along * WIDENED[0] * (1 + length) + slope * down, down * WIDENED[1] * (1 + height)
    down = down + np.array([slant * np.linalg.norm(down), 0])
    return np.array([centre - along - down, centre + along - down, centre - along + down], np.float32)


def photograph_line(face: PlateFace, rng: random.Random) -> Rgb:
    """The line of a face, (32, 128, 3), as small, crooked, dim or blurred as a crop shows it."""
    tall, wide = face.rgb.shape[:2]
    outline, size_wh = draw_stand(face, rng)
    low, high = outline.min(0), outline.max(0)
    beside = max(2.0, BESIDE * (high[1] - low[1]))
    outline = outline - low + beside
    room_wh = tuple(int(side) for side in np.ceil(high - low + 2 * beside))
    width = high[0] - low[0]
    finer = 2 if width < 140 else 1  # a camera averages over a pixel; warping a large render down does not
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, outline.astype(np.float32))
    lit = relight(face.rgb, rng)
    if finer * width / wide < 0.55:
        lit = cv2.blur(lit, (2, 2)) if finer * width / wide > 0.35 else cv2.blur(lit, (3, 3))
    ground = np.empty((room_wh[1] * finer, room_wh[0] * finer, 3), np.float32)
    ground[:] = lit[0, 0] if face.style == "word" else grey(rng, 0, 230, 20)
    if rng.random() < 0.5:
        ground += noise_like((*ground.shape[:2], 1), rng) * rng.uniform(1, 15)
    large = np.clip(ground, 0, 255).astype(np.uint8)
    scaled = np.diag([finer, finer, 1.0]) @ matrix
    cv2.warpPerspective(lit, scaled, large.shape[1::-1], dst=large, borderMode=cv2.BORDER_TRANSPARENT)
    picture = cv2.resize(large, room_wh, interpolation=cv2.INTER_AREA) if finer > 1 else large
    picture = expose(picture, rng)
    # The crop round it is stretched to the network's input: what that does to this part of it.
    share = np.array(INPUT_WH) / np.array(size_wh)
    on_input_wh = tuple(int(side) for side in np.maximum(4, np.round(np.array(room_wh) * share)))
    shrinks = bool((share < 1).any())
    stretched = cv2.resize(picture, on_input_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    line = face.text_xyxy
    across, along = MARGIN_ACROSS * (line[3] - line[1]), MARGIN_ALONG * (line[3] - line[1])
    x0, y0, x1, y1 = line + np.array([-along, -across, along, across], np.float32)
    corners = cv2.perspectiveTransform(np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float32), matrix)[0]
    frame = _framed(corners * (np.array(on_input_wh) / np.array(room_wh)), rng).astype(np.float32) - 0.5
    onto = np.array([[-0.5, -0.5], [LINE_WH[0] - 0.5, -0.5], [-0.5, LINE_WH[1] - 0.5]], np.float32)
    affine = cv2.getAffineTransform(onto, frame)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(stretched, affine, LINE_WH, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def line_samples(rng: random.Random, unseen: bool, words: float, two_line: float) -> list[LineSample]:
    """Several photographs of one face.

    Args:
        rng: every choice comes from it.
        unseen: letter it in a face that is kept out of training.
        words: the share of ordinary words.
        two_line: the share of plates of two lines, framed as if they were one.
    """
    if rng.random() < words:
        face = render_word(rng, unseen)
    else:
        face = render_plate(rng, "two-line" if rng.random() < two_line else rng.choices(*ONE_LINE)[0], unseen)
    text = "" if face.style == "two-line" else face.text
    return [LineSample(rgb=photograph_line(face, rng), text=text) for _ in range(VIEWS)]
