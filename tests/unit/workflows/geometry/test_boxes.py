from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import boxes
from workflows.geometry.boxes import (
    centres_and_sizes,
    clip_boxes,
    corners,
    grow_boxes,
    rounded_corners,
    shift_boxes,
)


def test_centres_and_sizes_of_a_box():
    assert_array_equal(centres_and_sizes(boxes([10, 20, 30, 25])), [[20, 22.5, 20, 5]])


def test_corners_undo_centres_and_sizes():
    given = boxes([10, 20, 30, 25], [0.5, 0, 0.5, 7])
    assert_array_equal(corners(centres_and_sizes(given)), given)


def test_shift_moves_both_corners():
    assert_array_equal(shift_boxes(boxes([1, 2, 3, 4]), -1, 10), [[0, 12, 2, 14]])


def test_growth_moves_each_side_outwards():
    assert_array_equal(grow_boxes(boxes([10, 10, 20, 20]), 2, 3), [[8, 7, 22, 23]])


def test_growth_may_differ_between_boxes():
    grown = grow_boxes(boxes([10, 10, 20, 20], [0, 0, 2, 2]), np.array([1, 2]), np.array([0, 5]))
    assert_array_equal(grown, [[9, 10, 21, 20], [-2, -5, 4, 7]])


@pytest.mark.parametrize(
    ("box", "expected"),
    [([-5, -1, 10, 10], [0, 0, 10, 10]), ([0, 0, 64, 48], [0, 0, 64, 48]), ([0, 0, 99, 99], [0, 0, 64, 48])],
)
def test_clipping_moves_corners_onto_the_border(box, expected):
    assert_array_equal(clip_boxes(boxes(box), (64, 48)), [expected])


def test_halves_are_rounded_to_the_even_neighbour():
    assert rounded_corners(boxes([0.5, 1.5, 2.5, 3.49])) == [(0, 2, 2, 3)]


@pytest.mark.parametrize(
    "change",
    [
        centres_and_sizes,
        corners,
        lambda xyxy: shift_boxes(xyxy, 1, 1),
        lambda xyxy: grow_boxes(xyxy, 1, 1),
        lambda xyxy: clip_boxes(xyxy, (4, 4)),
    ],
)
def test_no_boxes_stay_no_boxes(change):
    assert change(boxes()).shape == (0, 4)


def test_no_boxes_have_no_corners():
    assert rounded_corners(boxes()) == []
