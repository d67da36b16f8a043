"""Pixels to the planes of a network's input batch, in one pass."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.models.image_preprocessing import ImagePreprocessing
from workflows.values.image import Pixels

Planes = NDArray[np.float32]


def value_tables(steps: ImagePreprocessing) -> Planes:
    """(3, 256) float32: what each pixel value becomes in each channel of the network, in the network's channel order.

    A table is exact where multiplying by 1/255 is not, and takes normalization for nothing.
    """
    values = np.arange(256, dtype=np.float32)
    if steps.scaling_factor is not None:
        values = values / np.float32(steps.scaling_factor)
    if steps.normalization is None:
        return np.tile(values, (3, 1))
    mean = np.array(steps.normalization.mean, dtype=np.float32)[:, None]
    std = np.array(steps.normalization.std, dtype=np.float32)[:, None]
    return (values[None] - mean) / std


def write_planes(
    pixels: Pixels, planes: Planes, *, left: int, top: int, tables: Planes, rgb: bool, padding_value: int
) -> None:
    """Write a picture into one element of the batch, and the padding around it.

    Args:
        pixels: (h, w, 3) BGR or (h, w) grey, already resized.
        planes: (3, H, W) float32, written to; H >= top + h, W >= left + w.
        left: column of the picture in the planes.
        top: row of the picture in the planes.
        tables: of `value_tables`.
        rgb: whether the network's first channel is red.
        padding_value: pixel value around the picture.
    """
    height, width = pixels.shape[:2]
    bottom, right = top + height, left + width
    sources = cv2.split(pixels) if pixels.ndim == 3 else (pixels,) * 3
    for channel in range(3):
        plane, table = planes[channel], tables[channel]
        outside = table[padding_value]
        plane[:top] = outside
        plane[bottom:] = outside
        plane[top:bottom, :left] = outside
        plane[top:bottom, right:] = outside
        # In place: measured 0.6 ms for 640x360 with the resize, blobFromImage 6.6 ms, float arithmetic 9 ms.
        cv2.LUT(sources[2 - channel if rgb else channel], table, dst=plane[top:bottom, left:right])
