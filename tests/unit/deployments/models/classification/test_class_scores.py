from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deployments.models.classification.class_scores import are_shares, scores_of, softmax
from deployments.models.package_layouts.contents import ClassScores
from tests.unit.deployments.models.builders import tensor


def test_softmax_shares_out_powers_of_e() -> None:
    # e^0 : e^ln2 : e^ln5 = 1 : 2 : 5
    assert_allclose(softmax(tensor([0, math.log(2), math.log(5)])), [1 / 8, 2 / 8, 5 / 8], rtol=1e-6)


@pytest.mark.parametrize("level", [1000.0, -1000.0])
def test_softmax_bears_logits_of_any_height(level: float) -> None:
    assert_allclose(softmax(tensor([level, level])), [0.5, 0.5])


def test_each_kind_of_output_becomes_scores() -> None:
    logits = tensor([0, math.log(3)])
    assert_allclose(scores_of(logits, ClassScores.SOFTMAX), [1 / 4, 3 / 4], rtol=1e-6)
    assert_allclose(scores_of(logits, ClassScores.SIGMOID), [1 / 2, 3 / 4], rtol=1e-6)
    assert scores_of(logits, ClassScores.FINAL) is logits


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([[0.25, 0.75]], True),
        ([[0.25, 0.7504]], True),  # half precision
        ([[0.25, 0.25]], False),
        ([[-0.5, 1.5]], False),
        ([[1.5, -0.5]], False),
        ([[1, 0], [0.9, 0.2]], False),
    ],
)
def test_scores_of_which_one_applies_are_told_by_their_sum(outputs: list[list[float]], expected: bool) -> None:
    assert are_shares(tensor(outputs)) is expected


def test_what_is_no_number_is_no_score() -> None:
    assert not are_shares(np.full((1, 2), np.nan, np.float32))
