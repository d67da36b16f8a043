from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deployments.models.segmentation.resampling import linear_weights, nearest_cells


def test_between_the_centres_of_cells_values_change_linearly() -> None:
    # two cells, four pixels: centres of the pixels at 0.25, 0.75, 1.25, 1.75; of the cells at 0.5 and 1.5
    assert_allclose(linear_weights(4, 2), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])


def test_fewer_cells_take_means_of_what_they_cover() -> None:
    # four cells to two: a triangle two cells wide to each side of 1 and 3: shares 0.75 and 0.25 of cells at 0.5 and 1.5
    assert_allclose(linear_weights(2, 4), [[3 / 7, 3 / 7, 1 / 7, 0], [0, 1 / 7, 3 / 7, 3 / 7]], rtol=1e-6)


@pytest.mark.parametrize(("length", "source"), [(1, 1), (7, 7), (160, 640), (640, 160), (1, 9), (9, 1)])
def test_shares_add_up_to_one(length: int, source: int) -> None:
    weights = linear_weights(length, source)
    assert weights.shape == (length, source)
    assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)


def test_the_same_size_changes_nothing() -> None:
    assert_array_equal(linear_weights(5, 5), np.eye(5))


def test_pixels_lie_in_the_nearest_cell() -> None:
    assert nearest_cells(5, 2).tolist() == [0, 0, 1, 1, 1]
    assert nearest_cells(2, 5).tolist() == [1, 3]
    assert nearest_cells(3, 3).tolist() == [0, 1, 2]
