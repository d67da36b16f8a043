from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from deployments.models.image_preprocessing import ImagePreprocessing, Normalization, ResizeMode
from deployments.models.recognition.preprocessing import fill_batch, resize, resized_wh

STRETCH = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None)
PAD = ImagePreprocessing(resize_mode=ResizeMode.FIT_LONGER_EDGE, scaling_factor=None)


def grey_levels(values: list[list[int]]) -> NDArray[np.uint8]:
    pixels = np.repeat(np.array(values, dtype=np.uint8)[:, :, None], 3, axis=2)
    pixels.flags.writeable = False
    return pixels


def test_stretching_fills_the_input() -> None:
    batch = fill_batch([grey_levels([[50]])], (2, 4), STRETCH)
    assert_array_equal(batch, np.full((1, 3, 2, 4), 50))


def test_keeping_the_aspect_ratio_pads_at_the_right() -> None:
    batch = fill_batch([grey_levels([[50, 50], [50, 50]])], (2, 4), PAD)
    assert_array_equal(batch[0, 0], [[50, 50, 0, 0], [50, 50, 0, 0]])


def test_keeping_the_aspect_ratio_of_a_wide_crop_pads_below() -> None:
    batch = fill_batch([grey_levels([[50] * 8])], (2, 4), PAD)
    assert_array_equal(batch[0, 0], [[50] * 4, [0] * 4])


@pytest.mark.parametrize(
    ("crop_hw", "wh"),
    [((32, 128), (128, 32)), ((30, 100), (106, 32)), ((10, 100), (128, 12)), ((1, 900), (128, 1)), ((900, 1), (1, 32))],
)
def test_sides_are_cut_to_whole_pixels_and_at_least_one(crop_hw: tuple[int, int], wh: tuple[int, int]) -> None:
    assert resized_wh(np.zeros((*crop_hw, 3), dtype=np.uint8), (32, 128), ResizeMode.FIT_LONGER_EDGE) == wh


def test_shrinking_averages() -> None:
    assert_array_equal(resize(np.array([[0, 100, 20, 40]], dtype=np.uint8), (2, 1)), [[50, 30]])


def test_the_published_normalization_is_done_channel_by_channel_red_first() -> None:
    steps = ImagePreprocessing(
        resize_mode=ResizeMode.STRETCH,
        normalization=Normalization(mean=(0.694, 0.695, 0.693), std=(0.299, 0.296, 0.301)),
    )
    blue = np.zeros((1, 1, 3), dtype=np.uint8)
    blue[..., 0] = 255
    expected = [(0 - 0.694) / 0.299, (0 - 0.695) / 0.296, (1 - 0.693) / 0.301]
    assert_allclose(fill_batch([blue], (1, 1), steps)[0, :, 0, 0], expected, rtol=1e-5)


def test_no_crops_are_an_empty_batch() -> None:
    assert fill_batch([], (32, 128), STRETCH).shape == (0, 3, 32, 128)
