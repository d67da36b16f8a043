"""Crops of any size to one batch of a text recognizer's input."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode
from deployments.models.network_input import value_tables, write_planes
from workflows.values.image import Pixels


def fill_batch(crops: Sequence[Pixels], input_hw: tuple[int, int], steps: ImagePreprocessing) -> NDArray[np.float32]:
    """(b, 3, H, W) float32.

    Args:
        crops: (h, w, 3) BGR or (h, w) grey uint8 of at least one pixel; not written to.
        input_hw: height and width of the network's input.
        steps: `stretch` fills the input; every other mode keeps the aspect ratio and pads at the right and the bottom,
            as docTR does.
    """
    height, width = input_hw
    batch = np.empty((len(crops), 3, height, width), dtype=np.float32)
    tables = value_tables(steps)
    for planes, crop in zip(batch, crops, strict=True):
        write_planes(
            resize(crop, resized_wh(crop, input_hw, steps.resize_mode)),
            planes,
            left=0,
            top=0,
            tables=tables,
            rgb=steps.color_mode == "rgb",
            padding_value=steps.padding_value,
        )
    return batch


def resized_wh(crop: Pixels, input_hw: tuple[int, int], mode: ResizeMode) -> tuple[int, int]:
    """Size of the crop on the input; sides are cut to whole pixels, and at least one."""
    target_h, target_w = input_hw
    if mode is ResizeMode.STRETCH:
        return target_w, target_h
    height, width = crop.shape[:2]
    if height * target_w > target_h * width:  # taller than the input: its height is what fits
        return max(1, target_h * width // height), target_h
    return target_w, max(1, target_w * height // width)


def resize(crop: Pixels, wh: tuple[int, int]) -> Pixels:
    """The crop at another size; shrinking averages, so that thin strokes do not fall between the samples."""
    height, width = crop.shape[:2]
    shrinks = width > wh[0] or height > wh[1]
    resized = cv2.resize(crop, wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)
