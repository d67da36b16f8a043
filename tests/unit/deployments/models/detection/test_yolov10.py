from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.yolov10 import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor

ROWS = tensor([[1, 2, 3, 4, 0.9, 1], [5, 6, 7, 8, 0.5, 0], [9, 9, 10, 10, 0.2, 0]])


def test_rows_are_boxes_in_the_order_of_the_network() -> None:
    raw = decode([ROWS[::-1]], 0.4)
    assert_array_equal(raw.xyxy, [[5, 6, 7, 8], [1, 2, 3, 4]])
    assert_array_equal(raw.confidence, tensor([0.5, 0.9]))
    assert_array_equal(raw.class_id, [0, 1])


def test_a_score_equal_to_the_threshold_does_not_pass() -> None:
    assert_array_equal(decode([ROWS], 0.5).class_id, [1])


def test_thresholds_are_taken_by_class_and_the_last_for_classes_beyond() -> None:
    rows = tensor([[0, 0, 1, 1, 0.5, 0], [0, 0, 1, 1, 0.5, 1], [0, 0, 1, 1, 0.5, 9]])
    assert_array_equal(decode([rows], tensor([0.6, 0.3, 0.4])).class_id, [1, 9])


@pytest.mark.parametrize(
    "row",
    [
        [0, 0, 1, 1, 0.9, -1],
        [0, 0, 1, 1, 0.9, 1e30],
        [0, 0, 1, 1, np.nan, 0],
        [0, 0, 1, 1, 0.9, np.nan],
        [0, np.inf, 1, 1, 0.9, 0],
    ],
)
def test_rows_that_stand_for_no_box_are_left_out(row: list[float]) -> None:
    assert len(decode([tensor([row])], 0.1).xyxy) == 0


def test_no_rows_give_empty_arrays() -> None:
    raw = decode([np.zeros((0, 6), np.float32)], 0.5)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


def test_one_tensor_of_six_columns_is_read() -> None:
    roles = find(outputs_of(output0=(1, 300, 6)))
    assert roles is not None
    assert (roles.positions, roles.class_count) == ((0,), None)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 84, 8400)),
        outputs_of(output0=(300, 6)),
        outputs_of(a=(1, 300, 6), b=(1, 2)),
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
