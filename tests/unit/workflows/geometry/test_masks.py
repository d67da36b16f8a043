from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from workflows.geometry.masks import outline, paste_masks, polygon_to_mask, window_of_masks


def rectangle(left: int, top: int, right: int, bottom: int, wh: tuple[int, int] = (12, 10)) -> np.ndarray:
    mask = np.zeros((wh[1], wh[0]), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_the_outline_of_a_polygon_belongs_to_its_mask():
    square = np.array([[2, 3], [5, 3], [5, 6], [2, 6]], dtype=np.float64)
    assert_array_equal(polygon_to_mask(square, (12, 10)), rectangle(2, 3, 6, 7))


def test_corners_of_polygons_are_cut_to_whole_pixels():
    square = np.array([[2.9, 3.9], [5.9, 3.9], [5.9, 6.9], [2.9, 6.9]])
    assert_array_equal(polygon_to_mask(square, (12, 10)), rectangle(2, 3, 6, 7))


def test_a_polygon_without_corners_is_empty():
    assert not polygon_to_mask(np.zeros((0, 2)), (12, 10)).any()


def test_the_outline_of_a_rectangle_is_its_corners():
    found = outline(rectangle(2, 3, 6, 7))
    assert sorted(found.tolist()) == [[2, 3], [2, 6], [5, 3], [5, 6]]


def test_an_empty_mask_has_no_outline():
    assert outline(np.zeros((4, 4), dtype=np.bool_)) is None


def test_of_two_parts_the_one_with_more_corners_is_taken():
    mask = rectangle(0, 0, 8, 2)
    mask[4:9, 0:2] = mask[7:9, 0:5] = True  # an L: more corners than the rectangle above it
    assert outline(mask)[:, 1].min() == 4


def test_a_window_of_masks_is_sliced():
    masks = np.stack([rectangle(2, 3, 6, 7)])
    assert_array_equal(window_of_masks(masks, (2, 3, 6, 7)), np.ones((1, 4, 4), dtype=np.bool_))


def test_pasted_masks_lie_at_their_place():
    pasted = paste_masks(np.ones((1, 2, 3), dtype=np.bool_), 4, 5, (12, 10))
    assert_array_equal(pasted[0], rectangle(4, 5, 7, 7))


def test_what_is_pasted_across_the_border_is_cut():
    pasted = paste_masks(np.ones((1, 4, 4), dtype=np.bool_), -2, 8, (12, 10))
    assert_array_equal(pasted[0], rectangle(0, 8, 2, 10))


def test_what_is_pasted_outside_is_lost():
    assert not paste_masks(np.ones((1, 4, 4), dtype=np.bool_), 12, 0, (12, 10)).any()


def test_no_masks_are_pasted_to_none():
    assert paste_masks(np.zeros((0, 2, 2), dtype=np.bool_), 0, 0, (12, 10)).shape == (0, 10, 12)


@pytest.mark.parametrize("far", [1e18, -1e18, 2.0**31, -(2.0**31) - 1])
def test_corners_beyond_all_images_take_no_time_and_stay_on_their_side(far):
    mask = polygon_to_mask(np.array([[far, 0.0], [5.0, 0.0], [5.0, 9.0], [far, 9.0]]), (10, 10))
    assert mask[5].tolist() == ([False] * 5 + [True] * 5 if far > 0 else [True] * 6 + [False] * 4)
