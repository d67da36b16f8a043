from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.page_reading.cutting import MAX_CUT_SIDE_PX, cut_region


def numbered(width: int, height: int) -> NDArray[np.uint8]:
    """Red counts columns, green rows."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, :, 2], pixels[:, :, 1] = np.arange(width), np.arange(height)[:, None]
    pixels.flags.writeable = False
    return pixels


def upright(left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def test_an_upright_region_is_a_window_with_every_pixel_it_touches() -> None:
    image = numbered(40, 20)
    cut = cut_region(image, upright(3.4, 2.0, 10.2, 7.0))
    assert_array_equal(cut, image[2:7, 3:11])
    assert np.shares_memory(cut, image)


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    assert_array_equal(cut_region(numbered(40, 20), upright(-5, -5, 60, 4)), numbered(40, 20)[:4])


@pytest.mark.parametrize("box", [(50, 0, 60, 10), (-20, -20, -5, -5), (5, 5, 5, 9)])
def test_a_region_beside_the_picture_or_without_area_has_no_pixels(box: tuple[float, float, float, float]) -> None:
    assert cut_region(numbered(40, 20), upright(*box)).size == 0


def test_a_turned_region_is_set_upright() -> None:
    # a quarter turn: the top left corner of the text is the top right one of the picture
    image = numbered(40, 20)
    quad = np.array([[40, 0], [40, 20], [0, 20], [0, 0]], dtype=np.float32)
    assert_array_equal(cut_region(image, quad), cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))


def test_a_line_that_rises_is_level_after_cutting() -> None:
    image = np.zeros((200, 200), dtype=np.uint8)
    corners = cv2.boxPoints(((100.0, 100.0), (120.0, 20.0), 30.0)).astype(np.float32)  # bottom left, then clockwise
    cv2.fillPoly(image, [np.rint(corners).astype(np.int32)], 255)
    cut = cut_region(image, corners[[1, 2, 3, 0]])
    assert cut.shape == (20, 120)
    assert cut[2:-2, 2:-2].min() == 255


def test_a_turned_region_of_any_length_becomes_a_picture_of_bounded_size() -> None:
    image = np.zeros((8, 8), dtype=np.uint8)
    quad = np.array([[0, 0], [90_000, 10], [90_000, 40], [0, 30]], dtype=np.float32)
    assert max(cut_region(image, quad).shape) == MAX_CUT_SIDE_PX
