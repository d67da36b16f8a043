"""Pictures to train the plate detector on: parts of pooled scenes at several sizes, mirrored and relit."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.plate_scenes import SIDE
from training.pools import PoolReader

Picture = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""(side, side, 3) RGB, and the plates in it: (n, 4) xyxy, pixels."""

PADDING_VALUE = 127
SIDES = {192: 0.5, 320: 0.34, 448: 0.16}  # of a batch's pictures, and how often: most of a scene is not near a plate
ZOOMS = {192: (1.0, 1.0, 1.0, 0.6, 0.75, 1.3), 320: (1.0, 1.0, 1.0, 1.5), 448: (1.4, 1.7, 2.2)}  # far; enlarged


def cut_scene(rgb: NDArray[np.uint8], boxes: NDArray[np.float32], side: int, rng: random.Random) -> Picture:
    """A square part of a scene at another size: `side` pixels; most often with a plate, which is seldom cut itself."""
    boxes = boxes[boxes[:, 2] > boxes[:, 0]]
    part = min(SIDE, max(96, round(side / rng.choice(ZOOMS[side]) * rng.uniform(0.9, 1.1))))
    for _ in range(4):
        left, top = (rng.randint(0, SIDE - part) for _ in range(2))
        if len(boxes) and rng.random() < 0.6:
            x0, y0, x1, y1 = rng.choice(boxes)
            low = x1 - part, y1 - part
            left, top = (
                int(np.clip(rng.uniform(*sorted((far, near))), 0, SIDE - part))
                for far, near in zip(low, (x0, y0), strict=True)
            )
        moved = boxes - np.array([left, top, left, top], np.float32)
        clipped = np.clip(moved, 0, part)
        seen = (clipped[:, 2:] - clipped[:, :2]).prod(1) / (moved[:, 2:] - moved[:, :2]).prod(1)
        if not ((seen > 0.1) & (seen < 0.8)).any():
            break
    kept = clipped[seen > 0.5] * (side / part)
    shrinks = cv2.INTER_AREA if side < part else cv2.INTER_LINEAR
    cut = cv2.resize(rgb[top : top + part, left : left + part], (side, side), interpolation=shrinks)
    return cut, kept[kept[:, 2] - kept[:, 0] >= 6]


def varied(rgb: NDArray[np.uint8], boxes: NDArray[np.float32], rng: random.Random) -> Picture:
    """Mirror, relight, or letterbox a picture, so that a pool may be read more than once."""
    side = rgb.shape[0]
    if rng.random() < 0.5:
        rgb, boxes = rgb[:, ::-1], np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], 1)
    if rng.random() < 0.5:
        tint = [rng.uniform(0.6, 1.4)] * 3 if rng.random() < 0.6 else [rng.uniform(0.6, 1.4) for _ in range(3)]
        curve = np.arange(256)[:, None] * np.array(tint) + rng.uniform(-25, 25)
        table = np.clip(curve, 0, 255).astype(np.uint8)
        rgb = np.stack([table[rgb[..., channel], channel] for channel in range(3)], 2)
    if rng.random() < 0.25:
        strip = rng.randint(side // 40, side // 3)
        low, high = (0, strip) if rng.random() < 0.5 else (side - strip, side)
        axis = rng.randrange(2)
        if not ((boxes[:, 1 - axis] < high) & (boxes[:, 3 - axis] > low)).any():
            rgb = rgb.copy()
            rgb[(slice(low, high), slice(None)) if axis == 0 else (slice(None), slice(low, high))] = PADDING_VALUE
    return rgb, boxes


def draw_batch(pools: PoolReader, count: int, rng: random.Random) -> list[Picture]:
    """Pictures of one of SIDES by lot: `count` of the smallest, fewer of a larger, as each takes longer."""
    side = rng.choices(list(SIDES), list(SIDES.values()))[0]
    drawn = pools.draw(max(4, round(count * (min(SIDES) / side) ** 1.7)))
    scenes = zip(drawn["rgb"], drawn["plates_xyxy"], strict=True)
    return [varied(*cut_scene(rgb, boxes, side, rng), rng) for rgb, boxes in scenes]
