from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.yolonas import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor

XYXY = tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 10, 10]])
SCORES = tensor([[0.6, 0.7], [0.5, 0.1], [0.9, 0.2]])


@pytest.mark.parametrize("outputs", [[XYXY, SCORES], [np.concatenate([XYXY, SCORES], axis=1)]])
def test_corners_are_taken_as_they_are_and_the_best_class_counts(outputs: list[np.ndarray]) -> None:
    raw = decode(outputs, 0.5)
    assert_array_equal(raw.xyxy, [[1, 2, 3, 4], [9, 9, 10, 10]])
    assert_array_equal(raw.confidence, tensor([0.7, 0.9]))
    assert_array_equal(raw.class_id, [1, 0])


def test_thresholds_by_class_judge_the_best_class() -> None:
    assert_array_equal(decode([XYXY, SCORES], tensor([0.4, 0.8, 0.5])).confidence, tensor([0.5, 0.9]))


def test_nothing_found_gives_empty_arrays() -> None:
    raw = decode([XYXY, SCORES], 0.95)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("outputs", "positions", "classes"),
    [
        (outputs_of(a=(1, 8400, 4), b=(1, 8400, 80)), (0, 1), 80),
        (outputs_of(a=(1, 8400, 80), b=(1, 8400, 4)), (1, 0), 80),
        (outputs_of(pred_scores=(1, 8400, 4), pred_bboxes=(1, 8400, 4)), (1, 0), 4),
        (outputs_of(a=(1, 8400, 4), b=(1, 8400, 4)), (0, 1), 4),
        (outputs_of(output0=(1, 8400, 84)), (0,), 80),
        (  # an export that was cut nowhere
            outputs_of(
                pred_bboxes=(1, 8400, 4),
                pred_scores=(1, 8400, 80),
                cls_logits=(1, 8400, 80),
                reg_distri=(1, 8400, 68),
                anchors=(8400, 4),
                strides=(8400, 1),
            ),
            (0, 1),
            80,
        ),
    ],
)
def test_boxes_and_scores_are_found(outputs: list[NetworkOutput], positions: tuple[int, ...], classes: int) -> None:
    roles = find(outputs)
    assert roles is not None
    assert (roles.positions, roles.class_count) == (positions, classes)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 84, 8400)),
        outputs_of(output0=(1, 8400, 4)),
        outputs_of(output0=(8400, 84)),
        outputs_of(a=(1, 8400, 4), b=(1, 4200, 80)),
        outputs_of(a=(1, 8400, 5), b=(1, 8400, 80)),
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
