"""Raising the contrast of a picture, the three ways a package may ask for."""

from __future__ import annotations

import cv2
import numpy as np

from deployments.models.image_preprocessing import Contrast
from workflows.values.image import Pixels

CLIP_FRACTION = 0.03
TILES = (8, 8)
BINS = 256


def raise_contrast(bgr: Pixels, kind: Contrast) -> Pixels:
    """A new picture of the same shape.

    Args:
        bgr: (h, w, 3) uint8.
        kind: which of the three.
    """
    match kind:
        case Contrast.CONTRAST_STRETCHING:
            return stretch_contrast(bgr)
        case Contrast.HISTOGRAM_EQUALIZATION:
            return equalize_histogram(bgr)
        case Contrast.ADAPTIVE_EQUALIZATION:
            return equalize_adaptively(bgr)


def stretch_contrast(bgr: Pixels) -> Pixels:
    """Spread the values between the 2nd and 98th percentile of all channels over 0 to 255; fractions are cut off."""
    low, high = (float(value) for value in np.percentile(bgr, (2, 98)))
    values = np.clip(np.arange(256, dtype=np.float64), low, high)
    spread = (values - low) / (high - low) * 255 if high > low else values
    return _look_up(bgr, spread.astype(np.uint8))


def equalize_histogram(bgr: Pixels) -> Pixels:
    """Make all values of the three channels together about equally frequent; fractions are cut off.

    Values fall into 256 bins between the smallest and the largest, and become the share of values up to their bin,
    interpolated between the bins' centres.
    """
    histogram, edges = np.histogram(bgr, bins=BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    share = histogram.cumsum() / bgr.size
    return _look_up(bgr, (np.interp(np.arange(256), centres, share) * 255).astype(np.uint8))


def equalize_adaptively(bgr: Pixels) -> Pixels:
    """Contrast-limited equalization of the brightness (V of HSV) in 8x8 tiles, histograms clipped at 3 % of a tile.

    Other implementations interpolate between tiles a little differently; values differ by a few steps.
    """
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    # OpenCV takes the limit as a multiple of the mean bin, the share of a tile times the number of bins.
    equalizer = cv2.createCLAHE(clipLimit=CLIP_FRACTION * BINS, tileGridSize=TILES)
    hsv[..., 2] = equalizer.apply(hsv[..., 2])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR).astype(np.uint8, copy=False)


def _look_up(bgr: Pixels, table: Pixels) -> Pixels:
    return cv2.LUT(bgr, table).astype(np.uint8, copy=False)
