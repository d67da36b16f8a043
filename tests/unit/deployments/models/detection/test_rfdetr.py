from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from deployments.models.detection.rfdetr import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor

PAIRS = json.loads((Path(__file__).parent / "rfdetr_pairs.json").read_text())
"""Random queries, and what another implementation chose of them."""

BOXES = tensor([[0.5, 0.5, 0.5, 0.25], [0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 0.125, 0.125]])


def probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_pairs_of_query_and_class_come_surest_first_in_fractions_of_the_canvas() -> None:
    raw = decode([BOXES, tensor([[-9, 1], [3, -9], [-9, -9]])], 0.5)
    assert_allclose(raw.confidence, [probability(3), probability(1)], rtol=1e-6)
    assert_array_equal(raw.class_id, [0, 1])
    assert_array_equal(raw.xyxy, [[0, 0, 0.5, 0.5], [0.25, 0.375, 0.75, 0.625]])


def test_one_query_can_be_two_classes() -> None:
    raw = decode([BOXES, tensor([[2, 1], [-9, -9], [-9, -9]])], 0.5)
    assert_array_equal(raw.class_id, [0, 1])
    assert_array_equal(raw.xyxy[0], raw.xyxy[1])


def test_there_are_never_more_pairs_than_queries() -> None:
    raw = decode([BOXES, tensor([[4, 3], [2, 5], [1, 0.5]])], 0.5)
    # six pairs pass, the three surest are answered
    assert_allclose(raw.confidence, [probability(5), probability(4), probability(3)], rtol=1e-6)


def test_of_equally_sure_pairs_the_first_comes_first() -> None:
    raw = decode([BOXES, tensor([[-9, 1], [1, -9], [1, -9]])], 0.5)
    assert_array_equal(raw.class_id, [1, 0, 0])


def test_a_score_equal_to_the_threshold_does_not_pass() -> None:
    assert len(decode([BOXES, tensor([[0], [0], [0.0001]])], 0.5).xyxy) == 1


def test_a_class_with_a_high_threshold_still_uses_up_its_place() -> None:
    raw = decode([BOXES, tensor([[5, 4], [3, -9], [2, -9]])], tensor([0.5, 0.999, 0.5]))
    # the three surest are 5, 4 and 3; the 4 is of the class with the high threshold, and the 2 does not follow
    assert_allclose(raw.confidence, [probability(5), probability(3)], rtol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, -np.inf])
def test_a_logit_that_is_no_number_is_no_detection(broken: float) -> None:
    raw = decode([BOXES, tensor([[broken], [3], [broken]])], 0.5)
    assert_array_equal(raw.xyxy, [[0, 0, 0.5, 0.5]])


@pytest.mark.parametrize("answer", PAIRS["answers"], ids=lambda answer: f"threshold {answer['threshold']}")
def test_the_library_of_rfdetr_chooses_the_same_pairs(answer: dict[str, Any]) -> None:
    boxes = tensor(PAIRS["boxes"])
    raw = decode([boxes, tensor(PAIRS["logits"])], answer["threshold"])
    assert raw.class_id.tolist() == answer["class_id"]
    assert_allclose(raw.confidence, answer["score"], atol=2e-6)
    chosen = boxes[np.array(answer["query"], dtype=np.int64)].astype(np.float64)
    assert_allclose(raw.xyxy[:, :2], chosen[:, :2] - chosen[:, 2:] / 2, atol=1e-6)
    assert_allclose(raw.xyxy[:, 2:], chosen[:, :2] + chosen[:, 2:] / 2, atol=1e-6)


def test_nothing_found_gives_empty_arrays() -> None:
    raw = decode([BOXES, tensor([[-9], [-9], [-9]])], 0.5)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("outputs", "positions"),
    [
        (outputs_of(dets=(1, 300, 4), labels=(1, 300, 91)), (0, 1)),
        (outputs_of(labels=(1, 300, 91), dets=(1, 300, 4)), (1, 0)),
        (outputs_of(labels=(1, 300, 4), dets=(1, 300, 4)), (1, 0)),
        (outputs_of(pred_logits=(1, 100, 3), pred_boxes=(1, 100, 4)), (1, 0)),
        (outputs_of(logits=(1, 100, 3), pred_boxes=(1, 100, 4)), (1, 0)),
        (outputs_of(masks=(1, 300, 108, 108), dets=(1, 300, 4), labels=(1, 300, 91)), (1, 2)),
        (outputs_of(a=(1, 300, 91), b=(1, 300, 4)), (1, 0)),
        (outputs_of(a=(1, 300, 4), b=(1, 300, 4)), (0, 1)),
    ],
)
def test_boxes_and_logits_are_found_by_name_and_else_by_shape(
    outputs: list[NetworkOutput], positions: tuple[int, ...]
) -> None:
    roles = find(outputs)
    assert roles is not None
    assert roles.positions == positions
    assert roles.class_count == outputs[positions[1]].shape[2]


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(dets=(1, 300, 4)),
        outputs_of(dets=(1, 300, 4), labels=(1, 200, 91)),
        outputs_of(dets=(1, 300, 5), labels=(1, 300, 91)),
        outputs_of(a=(1, 300, 5), b=(1, 300, 91)),
        outputs_of(a=(1, 300, 4), b=(1, 300, 91), c=(1, 300, 2)),
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
