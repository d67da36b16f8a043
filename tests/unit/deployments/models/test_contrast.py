from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.contrast import raise_contrast
from deployments.models.image_preprocessing import Contrast

STRETCHING = Contrast.CONTRAST_STRETCHING


def grey_levels(*values: int) -> NDArray[np.uint8]:
    pixels = np.repeat(np.array([values], dtype=np.uint8)[:, :, None], 3, axis=2)
    pixels.flags.writeable = False
    return pixels


def test_stretching_spreads_the_percentiles_and_cuts_fractions() -> None:
    # 300 values: the 2nd and 98th percentile lie at positions 5.98 and 293.02, behind the 3 darkest and before the
    # 3 brightest, so between 50 and 150
    stretched = raise_contrast(grey_levels(0, 255, *[50] * 30, *[75] * 30, *[125] * 8, *[150] * 30), STRETCHING)
    assert_array_equal(stretched[0, [0, 2, 32, 62, 70, 1], 0], [0, 0, 63, 191, 255, 255])  # 63.75 and 191.25


def test_equalizing_gives_each_value_the_share_of_those_up_to_it() -> None:
    equalized = raise_contrast(grey_levels(0, 0, 0, 255), Contrast.HISTOGRAM_EQUALIZATION)
    assert_array_equal(equalized[0, :, 0], [191, 191, 191, 255])  # three quarters of 255 is 191.25


def test_adaptive_equalizing_brightens_a_dark_gradient_and_keeps_its_order() -> None:
    ramp = np.repeat(np.tile(np.arange(64, dtype=np.uint8), (64, 1))[:, :, None], 3, axis=2)
    row = raise_contrast(ramp, Contrast.ADAPTIVE_EQUALIZATION)[32, :, 0].astype(int)
    assert row.max() > ramp.max()
    assert row[-1] > row[32] > row[0]


@pytest.mark.parametrize("kind", list(Contrast))
def test_a_picture_of_one_colour_keeps_its_shape_and_type(kind: Contrast) -> None:
    flat = np.full((5, 7, 3), 90, dtype=np.uint8)
    raised = raise_contrast(flat, kind)
    assert (raised.shape, raised.dtype) == ((5, 7, 3), np.uint8)


def test_stretching_leaves_a_picture_of_one_colour_alone() -> None:
    flat = np.full((2, 2, 3), 90, dtype=np.uint8)
    assert_array_equal(raise_contrast(flat, Contrast.CONTRAST_STRETCHING), flat)
