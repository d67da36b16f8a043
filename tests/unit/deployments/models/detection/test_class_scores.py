from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.class_scores import surest_classes
from tests.unit.deployments.models.builders import tensor


def test_the_highest_score_tells_the_class_and_of_equal_ones_the_first() -> None:
    rows, class_id, scores = surest_classes(tensor([[0.1, 0.9, 0.2], [0.3, 0.2, 0.1], [0.1, 0.7, 0.7]]), 0.5)
    assert_array_equal(rows, [0, 2])
    assert_array_equal(class_id, [1, 1])
    assert_array_equal(scores, tensor([0.9, 0.7]))


def test_a_score_equal_to_the_threshold_does_not_pass() -> None:
    assert len(surest_classes(tensor([[0.5]]), 0.5)[0]) == 0


@pytest.mark.parametrize("broken", [np.nan, -np.inf])
def test_a_score_that_is_no_number_does_not_pass(broken: float) -> None:
    assert_array_equal(surest_classes(tensor([[broken], [0.9]]), 0.5)[0], [1])


def test_classes_beyond_those_with_thresholds_share_the_last() -> None:
    scores = tensor([[0.0, 0.0, 0.0, 0.6], [0.0, 0.0, 0.8, 0.0], [0.6, 0.0, 0.0, 0.0]])
    assert_array_equal(surest_classes(scores, tensor([0.5, 0.5, 0.7]))[0], [1, 2])


@pytest.mark.parametrize("threshold", [0.5, tensor([0.5, 0.5])])
def test_no_rows_stay_no_rows(threshold: float) -> None:
    assert [part.shape for part in surest_classes(np.zeros((0, 2), np.float32), threshold)] == [(0,), (0,), (0,)]
