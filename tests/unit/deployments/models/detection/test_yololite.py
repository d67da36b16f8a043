from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deployments.models.detection.yololite import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor

XYXY = tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 10, 10]])
OBJECTNESS = tensor([[2.0], [-2.0], [0.0]])
CLASSES = tensor([[1.0, 3.0], [5.0, 1.0], [-1.0, -3.0]])


def probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_the_score_is_the_product_of_both_probabilities() -> None:
    raw = decode([XYXY, OBJECTNESS, CLASSES], 0.125)
    # 0.881 * 0.953, 0.119 * 0.993 and 0.5 * 0.269: the second falls
    assert_allclose(raw.confidence, [probability(2) * probability(3), probability(0) * probability(-1)], rtol=1e-6)
    assert_array_equal(raw.class_id, [1, 0])
    assert_array_equal(raw.xyxy, [[1, 2, 3, 4], [9, 9, 10, 10]])


def test_a_score_equal_to_the_threshold_does_not_pass() -> None:
    assert len(decode([XYXY[:1], tensor([[0]]), tensor([[0]])], 0.25).xyxy) == 0  # half of a half


def test_thresholds_are_taken_by_class() -> None:
    assert_array_equal(decode([XYXY, OBJECTNESS, CLASSES], tensor([0.125, 0.9, 0.1])).class_id, [0])


def test_nothing_found_gives_empty_arrays() -> None:
    raw = decode([XYXY, OBJECTNESS, CLASSES], 0.99)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("outputs", "positions", "classes"),
    [
        (outputs_of(a=(1, 2100, 4), b=(1, 2100, 1), c=(1, 2100, 3)), (0, 1, 2), 3),
        (outputs_of(a=(1, 2100, 3), b=(1, 2100, 1), c=(1, 2100, 4)), (2, 1, 0), 3),
        (outputs_of(a=(1, 2100, 4), b=(1, 2100, 1), c=(1, 2100, 1)), (0, 1, 2), 1),
        (outputs_of(a=(1, 2100, 4), b=(1, 2100, 1), c=(1, 2100, 4)), (0, 1, 2), 4),
    ],
)
def test_the_three_outputs_are_found(outputs: list[NetworkOutput], positions: tuple[int, ...], classes: int) -> None:
    roles = find(outputs)
    assert roles is not None
    assert (roles.positions, roles.class_count) == (positions, classes)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(a=(1, 9, 4), b=(1, 9, 3)),
        outputs_of(a=(1, 9, 4), b=(1, 9, 2), c=(1, 9, 3)),
        outputs_of(a=(1, 9, 4), b=(1, 8, 1), c=(1, 9, 3)),
        outputs_of(a=(1, 9, 5), b=(1, 9, 1), c=(1, 9, 3)),
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None


def test_arrays_keep_their_type() -> None:
    assert decode([XYXY, OBJECTNESS, CLASSES], 0.1).confidence.dtype == np.float32
