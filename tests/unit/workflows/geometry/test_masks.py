from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from workflows.geometry.masks import fill_window, outline, polygon_window, tight_window


def rectangle(left: int, top: int, right: int, bottom: int, wh: tuple[int, int] = (12, 10)) -> np.ndarray:
    mask = np.zeros((wh[1], wh[0]), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def filled(polygon_xy: np.ndarray, image_wh: tuple[int, int]) -> np.ndarray:
    return fill_window(polygon_xy, (0, 0, *image_wh))


def test_the_outline_of_a_polygon_belongs_to_its_mask():
    square = np.array([[2, 3], [5, 3], [5, 6], [2, 6]], dtype=np.float64)
    assert_array_equal(filled(square, (12, 10)), rectangle(2, 3, 6, 7))


def test_corners_of_polygons_are_rounded_to_whole_pixels():
    square = np.array([[1.9, 2.5001], [4.9, 2.6], [5.4, 6.4], [2.5, 5.9]])
    assert_array_equal(filled(square, (12, 10)), rectangle(2, 3, 6, 7))


def test_a_polygon_without_corners_is_empty():
    assert not filled(np.zeros((0, 2)), (12, 10)).any()


def test_the_outline_of_a_rectangle_is_its_corners():
    found = outline(rectangle(2, 3, 6, 7))
    assert sorted(found.tolist()) == [[2, 3], [2, 6], [5, 3], [5, 6]]


def test_of_two_parts_the_larger_one_is_taken_and_of_outer_outlines_the_one_with_more_corners():
    mask = rectangle(0, 0, 12, 4)
    mask[5:9, 0:2] = mask[7:9, 0:5] = True  # an L: more corners than the rectangle above it
    assert outline(mask)[:, 1].max() == 3
    assert outline(mask, outer=True)[:, 1].min() == 5


def test_the_outer_outline_is_never_that_of_a_hole():
    mask = rectangle(0, 0, 12, 10)
    mask[4:6, 3:9] = mask[3:7, 5:7] = False  # a cross: more corners than the rectangle it lies in
    assert sorted(outline(mask, outer=True).tolist()) == [[0, 0], [0, 9], [11, 0], [11, 9]]


def test_a_tight_window_holds_all_pixels_and_no_empty_border():
    mask = rectangle(2, 3, 4, 5) | rectangle(6, 6, 7, 7)
    assert tight_window(mask) == (slice(2, 7), slice(3, 7))


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (4, 4)])
def test_a_mask_without_pixels_has_no_outline_and_an_empty_window(shape):
    empty = np.zeros(shape, dtype=np.bool_)
    assert outline(empty) is None
    assert tight_window(empty) == (slice(0, 0), slice(0, 0))


@pytest.mark.parametrize("far", [1e18, -1e18, 2.0**31, -(2.0**31) - 1])
def test_corners_beyond_all_images_take_no_time_and_stay_on_their_side(far):
    mask = filled(np.array([[far, 0.0], [5.0, 0.0], [5.0, 9.0], [far, 9.0]]), (10, 10))
    assert mask[5].tolist() == ([False] * 5 + [True] * 5 if far > 0 else [True] * 6 + [False] * 4)


CORNERS = st.lists(st.tuples(*[st.floats(-40, 60)] * 2), max_size=6)


@given(CORNERS, st.tuples(*[st.integers(1, 30)] * 2))
@example([(-3.0, -4.0), (40.0, 2.0), (5.0, 45.0)], (12, 10))
def test_the_window_of_a_polygon_shows_all_that_the_image_does(corners, image_wh):
    polygon_xy = np.array(corners, dtype=np.float64).reshape(-1, 2)
    left, top, width, height = window = polygon_window(polygon_xy, image_wh)
    whole = np.zeros(image_wh[::-1], dtype=np.bool_)
    whole[top : top + height, left : left + width] = fill_window(polygon_xy, window)
    assert_array_equal(whole, filled(polygon_xy, image_wh))


@pytest.mark.parametrize("corners", [[], [[20, 20], [30, 20], [30, 30]], [[-9, -9], [-1, -1], [-9, -1]]])
def test_a_polygon_beside_the_image_has_no_window(corners):
    assert polygon_window(np.array(corners, dtype=np.float64).reshape(-1, 2), (12, 10)) == (0, 0, 0, 0)


def test_a_window_is_no_larger_than_its_polygon():
    triangle = np.array([[2.0, 3.0], [6.0, 3.0], [2.0, 7.0]])
    assert polygon_window(triangle, (16_384, 16_384)) == (2, 3, 5, 5)
