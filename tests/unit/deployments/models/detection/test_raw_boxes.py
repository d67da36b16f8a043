from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.raw_boxes import RawBoxes, corners
from tests.unit.deployments.models.builders import tensor


def boxes(xyxy: list[list[float]], confidence: list[float]) -> RawBoxes:
    count = np.arange(len(confidence))
    return RawBoxes(xyxy=tensor(xyxy).reshape(-1, 4), confidence=tensor(confidence), class_id=count, row=count)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_boxes_with_a_number_that_is_none_are_left_out(broken: float) -> None:
    found = boxes([[0, 0, 1, 1], [0, broken, 1, 1], [0, 0, 2, 2]], [0.9, 0.8, broken]).finite()
    assert_array_equal(found.class_id, [0])


def test_whole_boxes_are_all_kept() -> None:
    whole = boxes([[0, 0, 1, 1]], [0.9])
    assert whole.finite() is whole


def test_no_boxes_stay_no_boxes() -> None:
    assert boxes([], []).finite().xyxy.shape == (0, 4)


def test_centre_and_size_become_corners() -> None:
    assert_array_equal(
        corners(tensor([[20, 30, 10, 6], [0.5, 0.5, 1, 0.5]])), tensor([[15, 27, 25, 33], [0, 0.25, 1, 0.75]])
    )
    assert corners(tensor([]).reshape(0, 4)).shape == (0, 4)
