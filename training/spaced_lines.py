"""Lines whose letters stand in even cells, so that every time step of the recognizer has a known answer.

From random weights, CTC answers blanks alone for tens of thousands of lines before it finds its first letter. Some
hundred steps of plain classification on lines like these carry it over that.
"""

from __future__ import annotations

import random

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from training.fonts import face_at, word_faces
from training.plate_reader import BLANK
from training.plate_renders import Rgb, any_colour
from training.plate_texts import SYLLABLES, VOCABULARY

LINE_WH, STEPS, IGNORED = (128, 32), 32, -100
PRINTED = VOCABULARY[: -len(SYLLABLES)]
LETTER, BETWEEN = 0.3, 0.42  # from the middle of a cell, of its width: up to here the letter, from there a blank


def spaced_line(rng: random.Random) -> tuple[Rgb, NDArray[np.int64]]:
    """(32, 128, 3) uint8 and the class of each of 32 steps."""
    text = "".join(rng.choice(PRINTED) for _ in range(rng.randint(3, 10)))
    cell, path = LINE_WH[0] / len(text), rng.choice(word_faces())
    mask = np.zeros(LINE_WH[::-1], np.float32)
    for place, character in enumerate(text):
        left, _, right, _ = (int(side) for side in face_at(path, 32).getbbox(character))
        glyph = Image.new("L", (max(1, right - left), LINE_WH[1]), 0)
        ImageDraw.Draw(glyph).text((-left, -2), character, font=face_at(path, 32), fill=255)
        wide = max(2, min(int(cell * 0.95), int(glyph.width * rng.uniform(0.7, 1.1))))
        drawn = cv2.resize(np.asarray(glyph), (wide, LINE_WH[1]), interpolation=cv2.INTER_AREA)
        start = int((place + 0.5) * cell - wide / 2)
        mask[:, start : start + wide] = drawn[:, : LINE_WH[0] - start] / 255
    ground, ink = np.array(any_colour(rng, 130)), np.array(any_colour(rng, 0, 110))
    if rng.random() < 0.3:
        ground, ink = ink, ground
    rgb = ground * (1 - mask[..., None]) + ink * mask[..., None]
    centres = (np.arange(STEPS) + 0.5) * LINE_WH[0] / STEPS / cell
    place = np.minimum(centres.astype(int), len(text) - 1)
    away = np.abs(centres - place - 0.5)
    letters = np.array([VOCABULARY.index(character) for character in text])[place]
    classes = np.where(away < LETTER, letters, np.where(away > BETWEEN, BLANK, IGNORED))
    return np.clip(rgb, 0, 255).astype(np.uint8), classes


def stepwise_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of the steps that have an answer; `logits` (b, 32, classes), `classes` (b, 32)."""
    return F.cross_entropy(logits.flatten(0, 1), classes.flatten(), ignore_index=IGNORED)


def spaced_batch(rng: random.Random, count: int) -> tuple[Tensor, Tensor]:
    """(count, 32, 128, 3) uint8 and (count, 32) classes."""
    drawn = [spaced_line(rng) for _ in range(count)]
    return torch.from_numpy(np.stack([rgb for rgb, _ in drawn])), torch.from_numpy(np.stack([c for _, c in drawn]))
