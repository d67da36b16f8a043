"""Photographs with as many plates as one likes, drawn; the shipped models find and read them."""

from __future__ import annotations

import base64

import cv2
import numpy as np

PHOTO_WH = (1280, 960)
PLATE_WH = (170, 36)
MOST_PLATES = 12


def photograph(plates: int, seed: int) -> bytes:
    """A JPEG with `plates` plates (at most 12), each on a car of one colour."""
    assert plates <= MOST_PLATES
    dice = np.random.default_rng(seed)
    blurred = dice.integers(60, 140, (12, 16, 3), dtype=np.uint8)
    picture = cv2.resize(blurred, PHOTO_WH, interpolation=cv2.INTER_CUBIC)
    for index in range(plates):
        left = 60 + index % 3 * 400 + int(dice.integers(0, 60))
        top = 90 + index // 3 * 220 + int(dice.integers(0, 40))
        colour = tuple(int(value) for value in dice.integers(20, 200, 3))
        cv2.rectangle(picture, (left - 60, top - 90), (left + 230, top + 70), colour, -1)
        letters = "".join(chr(65 + int(letter)) for letter in dice.integers(0, 26, 3))
        picture[top : top + PLATE_WH[1], left : left + PLATE_WH[0]] = _plate(f"B {dice.integers(10, 999)} {letters}")
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def image_input(jpeg: bytes) -> dict[str, str]:
    """The picture as requests carry it."""
    return {"type": "base64", "value": base64.b64encode(jpeg).decode()}


def _plate(text: str) -> np.ndarray:
    width, height = PLATE_WH
    plate = np.full((height, width, 3), 240, np.uint8)
    cv2.rectangle(plate, (0, 0), (width - 1, height - 1), (20, 20, 20), 2)
    cv2.rectangle(plate, (2, 2), (14, height - 3), (160, 60, 20), -1)
    cv2.putText(plate, text, (20, height - 9), cv2.FONT_HERSHEY_DUPLEX, 0.85, (15, 15, 15), 2, cv2.LINE_AA)
    return plate
