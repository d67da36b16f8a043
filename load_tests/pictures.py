"""Photographs with a given number of number plates, made of the shipped samples."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.package_survey import SHIPPED_DIRECTORY
from workflows.values.image_codec import encode_jpeg

SAMPLES = SHIPPED_DIRECTORY / "samples"
WHOLE = {0: "street.jpg", 1: "car.jpg", 2: "two_cars.jpg"}
"""Samples that have that many plates by themselves."""

SCENE_WH = (1280, 720)
COLUMNS, ROWS = 5, 4
PLATE_XYXY = (493, 408, 997, 710)
"""The piece of `car.jpg` around its plate that scenes are laid out of; of a cell's shape."""


@lru_cache
def photograph(plates: int) -> bytes:
    """JPEG of a picture on which the shipped detector finds so many plates.

    Args:
        plates: 0 to 20; above 2, a wall of cut-outs.
    """
    if plates in WHOLE:
        return (SAMPLES / WHOLE[plates]).read_bytes()
    return encode_jpeg(wall(plates))


def wall(plates: int) -> NDArray[np.uint8]:
    """A grey picture with cut-outs of a car's rear in rows.

    Args:
        plates: 0 to 20.

    Returns:
        (720, 1280, 3) uint8, BGR.
    """
    width, height = SCENE_WH
    pixels = np.full((height, width, 3), 110, dtype=np.uint8)
    left, top, right, bottom = PLATE_XYXY
    cell_wh = (width // COLUMNS - 16, height // ROWS - 36)
    photo = cv2.imread(str(SAMPLES / WHOLE[1]))
    assert photo is not None, "the samples come with the project"
    rear = cv2.resize(photo[top:bottom, left:right], cell_wh, interpolation=cv2.INTER_AREA)
    for number in range(plates):
        row, column = divmod(number, COLUMNS)
        y, x = row * (height // ROWS) + 18, column * (width // COLUMNS) + 8
        pixels[y : y + cell_wh[1], x : x + cell_wh[0]] = rear
    return pixels
