from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.yolo26 import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor

ROWS = tensor([[1, 2, 3, 4, 0.9, 1], [5, 6, 7, 8, 0.5, 0], [9, 9, 10, 10, 0.2, 0]])


def counted(number: float, rows: np.ndarray) -> list[np.ndarray]:
    """The same boxes in four tensors."""
    return [tensor([number]), rows[:, :4], rows[:, 4], rows[:, 5]]


def test_a_score_equal_to_the_threshold_passes() -> None:
    raw = decode([ROWS], 0.5)
    assert_array_equal(raw.xyxy, [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert_array_equal(raw.confidence, tensor([0.9, 0.5]))
    assert_array_equal(raw.class_id, [1, 0])


def test_a_threshold_that_float32_cannot_hold_is_compared_in_float32() -> None:
    assert len(decode([tensor([[0, 0, 1, 1, np.float32(0.4), 0]])], 0.4).xyxy) == 1


def test_boxes_keep_the_order_of_the_network() -> None:
    assert_array_equal(decode([ROWS[::-1]], 0.5).confidence, tensor([0.5, 0.9]))


def test_thresholds_are_taken_by_class() -> None:
    assert_array_equal(decode([ROWS], tensor([0.2, 0.95, 0.1])).confidence, tensor([0.5, 0.2]))


def test_four_tensors_mean_the_same_up_to_their_number() -> None:
    raw = decode(counted(2, ROWS), 0.1)
    assert_array_equal(raw.xyxy, [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert_array_equal(raw.class_id, [1, 0])


@pytest.mark.parametrize("number", [0, -1, np.nan])
def test_a_number_of_none_means_no_boxes(number: float) -> None:
    assert len(decode(counted(number, ROWS), 0.1).xyxy) == 0


def test_rows_that_fill_up_the_tensor_are_no_boxes() -> None:
    assert len(decode([tensor([[0, 0, 0, 0, 0, -1]] * 3)], 0).xyxy) == 0


def test_no_rows_give_empty_arrays() -> None:
    raw = decode([np.zeros((0, 6), np.float32)], 0.5)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("outputs", "positions"),
    [
        (outputs_of(output0=(1, 300, 6)), (0,)),
        (
            outputs_of(num_predictions=(1, 1), pred_boxes=(1, 9, 4), pred_scores=(1, 9), pred_classes=(1, 9)),
            (0, 1, 2, 3),
        ),
        (outputs_of(det_boxes=(1, 9, 4), det_classes=(1, 9), det_scores=(1, 9), num_dets=(1, 1)), (3, 0, 2, 1)),
        (outputs_of(a=(1, 1), b=(1, 1, 4), c=(1, 1), d=(1, 1)), (0, 1, 2, 3)),
    ],
)
def test_both_spellings_are_found(outputs: list[NetworkOutput], positions: tuple[int, ...]) -> None:
    roles = find(outputs)
    assert roles is not None
    assert (roles.positions, roles.class_count) == (positions, None)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 84, 8400)),
        outputs_of(a=(1, 1), b=(1, 9, 5), c=(1, 9), d=(1, 9)),
        outputs_of(a=(1, 1), b=(1, 9, 4), c=(1, 9), d=(1, 8)),
        outputs_of(a=(1, 9), b=(1, 9, 4), c=(1, 9), d=(1, 9)),
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
