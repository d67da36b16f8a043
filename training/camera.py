"""What a camera does to a picture: light, blur, noise, compression."""

from __future__ import annotations

import math
import random
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=1)
def _noise_bank() -> NDArray[np.float32]:
    return np.random.default_rng(5).standard_normal(1 << 21, np.float32)


def noise_like(shape: tuple[int, ...], rng: random.Random) -> NDArray[np.float32]:
    """Normal noise; cut from a bank where it suffices, since drawing it costs more than all else a camera does."""
    bank, count = _noise_bank(), math.prod(shape)
    if count > len(bank) // 2:
        return np.random.default_rng(rng.getrandbits(32)).standard_normal(shape, np.float32)
    start = rng.randrange(len(bank) - count)
    return bank[start : start + count].reshape(shape)


def relight(rgb: NDArray[np.uint8], rng: random.Random) -> NDArray[np.uint8]:
    """Exposure, white balance, gamma and light from one side."""
    tone = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, 1)  # what becomes of each value in each channel
    if rng.random() < 0.8:
        tone = tone * rng.uniform(0.35, 1.25) + rng.uniform(-20, 35)
    if rng.random() < 0.5:
        tone = tone * np.array([rng.uniform(0.8, 1.2) for _ in range(3)], np.float32)
    if rng.random() < 0.3:
        tone = 255 * np.clip(tone / 255, 0, 1) ** rng.uniform(0.6, 1.8)
    lit = cv2.LUT(np.ascontiguousarray(rgb), np.clip(tone, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.25:
        height, width = rgb.shape[:2]
        angle = rng.uniform(0, 6.28)
        slope = np.linspace(-1, 1, width)[None] * np.cos(angle) + np.linspace(-1, 1, height)[:, None] * np.sin(angle)
        gain = (1 + rng.uniform(0.1, 0.5) * slope[..., None]).astype(np.float32)
        lit = np.clip(lit * gain, 0, 255).astype(np.uint8)
    return lit


def expose(rgb: NDArray[np.uint8], rng: random.Random) -> NDArray[np.uint8]:
    """One photograph: blur, motion, noise, greyscale, JPEG, sharpening, each by lot."""
    strength = rng.uniform(0.2, 1.0)
    tone = rgb.astype(np.float32)
    if rng.random() < 0.5:
        tone = cv2.GaussianBlur(tone, (0, 0), rng.uniform(0.3, 0.3 + strength))
    if rng.random() < 0.15:
        size = rng.randint(3, 5)
        kernel = np.zeros((size, size), np.float32)
        kernel[(size // 2,) if rng.random() < 0.7 else np.diag_indices(size)] = 1.0 / size
        tone = cv2.filter2D(tone, -1, kernel)
    if rng.random() < 0.6:
        tone = tone + noise_like(tone.shape, rng) * rng.uniform(1, 12 * strength)
    picture = np.clip(tone, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(30, 95)]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    if rng.random() < 0.2:
        tone = picture.astype(np.float32)
        sharper = tone + rng.uniform(0.3, 1.2) * (tone - cv2.GaussianBlur(tone, (0, 0), 1.2))
        picture = np.clip(sharper, 0, 255).astype(np.uint8)
    return picture
