"""What stands round a plate: drawn street furniture, and frames of plates-ro whose own plates are painted over."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.camera import noise_like
from training.fonts import word_faces
from training.plate_renders import Rgb, any_colour, caption, grey
from training.plate_texts import CAPTIONS, SIGNS, SLOGANS, printed_word

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A photograph with its plates.

    Attributes:
        rgb: (h, w, 3) uint8.
        plates_xyxy: (n, 4) float32, pixels.
    """

    rgb: Rgb
    plates_xyxy: Boxes


def load_frames(folder: Path, split: str) -> list[Frame]:
    """Read one split of plates-ro: `<split>.jsonl` beside the images that it names."""
    frames = []
    for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        bgr = cv2.imread(str(folder / entry["image"]), cv2.IMREAD_COLOR)
        boxes = np.array(entry["boxes_xyxy"], np.float32).reshape(-1, 4)
        frames.append(Frame(rgb=np.ascontiguousarray(bgr[:, :, ::-1]), plates_xyxy=boxes))
    return frames


def hide_plates(rgb: Rgb, plates_xyxy: Boxes, rng: random.Random) -> Rgb:
    """Paint over plates with what surrounds them; returns a new array."""
    hidden = rgb.copy()
    height, width = rgb.shape[:2]
    for x0, y0, x1, y1 in plates_xyxy:
        grow_x, grow_y = 0.12 * (x1 - x0) + 2, 0.2 * (y1 - y0) + 2
        left, top = max(0, int(x0 - grow_x)), max(0, int(y0 - grow_y))
        right, bottom = min(width, int(x1 + grow_x)), min(height, int(y1 + grow_y))
        if right - left < 2 or bottom - top < 2:
            continue
        above, below = hidden[max(0, top - 1), left:right], hidden[min(height - 1, bottom), left:right]
        above, below = (cv2.blur(edge[None], (max(1, (right - left) // 4), 1)) for edge in (above, below))
        blend = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None, None]
        patch = above * (1 - blend) + below * blend + noise_like((bottom - top, right - left, 1), rng) * 3
        hidden[top:bottom, left:right] = np.clip(patch, 0, 255).astype(np.uint8)
    return hidden


def textured(size_wh: tuple[int, int], amplitude: float, rng: random.Random) -> NDArray[np.float32]:
    """Noise of three scales, (h, w) float32."""
    width, height = size_wh
    total = np.zeros((height, width), np.float32)
    for grain in (4, 16, 64):
        coarse = noise_like((max(2, height * grain // 320 + 2), max(2, width * grain // 320 + 2)), rng)
        total += cv2.resize(coarse, size_wh, interpolation=cv2.INTER_LINEAR) / grain**0.3
    return total * amplitude


def drawn_background(size_wh: tuple[int, int], rng: random.Random) -> Rgb:
    """Sky, ground, edges, shapes and gratings."""
    width, height = size_wh
    above, below = np.array(grey(rng, 60, 240, 30), np.float32), np.array(grey(rng, 20, 200, 30), np.float32)
    blend = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(above * (1 - blend) + below * blend, (height, width, 3)).copy()
    if rng.random() < 0.7:
        picture[rng.randint(height // 6, height * 3 // 4) :] = grey(rng, 40, 180, 10)
    picture += textured(size_wh, rng.uniform(2, 22), rng)[..., None]
    rgb: Rgb = np.clip(picture, 0, 255).astype(np.uint8)
    reach = max(width, height)
    for _ in range(rng.randint(0, 14)):
        kind, tone = rng.random(), grey(rng, 0, 255, 40) if rng.random() < 0.75 else any_colour(rng)
        x, y = rng.randint(-reach // 8, width), rng.randint(-reach // 8, height)
        if kind < 0.35:
            corner = (x + rng.randint(5, reach // 2 + 5), y + rng.randint(3, reach // 2 + 3))
            cv2.rectangle(rgb, (x, y), corner, tone, -1 if rng.random() < 0.7 else rng.randint(1, 5))
        elif kind < 0.5:
            axes = (rng.randint(3, reach // 5 + 3), rng.randint(3, reach // 5 + 3))
            thickness = -1 if rng.random() < 0.6 else rng.randint(1, 6)
            cv2.ellipse(rgb, (x, y), axes, rng.randint(0, 180), 0, 360, tone, thickness)
        elif kind < 0.75:
            cv2.line(rgb, (x, y), (rng.randint(0, width), rng.randint(0, height)), tone, rng.randint(1, 8), cv2.LINE_AA)
        else:
            spread = reach // 5 + 1
            corners = [
                (x + rng.randint(-spread, spread), y + rng.randint(-spread, spread)) for _ in range(rng.randint(3, 6))
            ]
            cv2.fillPoly(rgb, [np.array(corners, np.int32)], tone)
    if rng.random() < 0.3:
        grating(rgb, rng)
    return rgb


def grating(rgb: Rgb, rng: random.Random) -> None:
    """Draw a grille, a fence or a crossing in place: the stripes that detectors take for letters."""
    height, width = rgb.shape[:2]
    x, y, bars = rng.randint(0, width * 3 // 4), rng.randint(0, height * 3 // 4), rng.randint(3, 14)
    wide, tall = rng.randint(width // 10 + 1, width // 2 + 1), rng.randint(height // 20 + 1, height // 3 + 1)
    tone, upright = grey(rng, 0, 255, 20), rng.random() < 0.5
    for bar in range(bars):
        if upright:
            at = x + bar * wide // bars
            cv2.line(rgb, (at, y), (at, y + tall), tone, max(1, wide // bars // 2))
        else:
            at = y + bar * tall // bars
            cv2.line(rgb, (x, at), (x + wide, at), tone, max(1, tall // bars // 2))


def lettered(rgb: Rgb, rng: random.Random) -> Rgb:
    """Add text that is no plate: a badge, a sign, a sticker; returns a new array."""
    height, width = rgb.shape[:2]
    text = rng.choice(CAPTIONS + SLOGANS + SIGNS) if rng.random() < 0.6 else printed_word(rng)
    tall = rng.uniform(0.02, 0.11) * max(width, height) / 1.4 + 4
    at = (rng.uniform(0, width), rng.uniform(0, height))
    if rng.random() < 0.35:
        half = (int(len(text) * tall * 0.4), int(tall * rng.uniform(0.8, 1.6)))
        corners = [(int(at[0] + sign * half[0]), int(at[1] + sign * half[1])) for sign in (-1, 1)]
        cv2.rectangle(rgb, corners[0], corners[1], grey(rng, 0, 255, 60), -1)
    return caption(rgb, text, at, tall, grey(rng, 0, 255, 40), rng.choice(word_faces()))
