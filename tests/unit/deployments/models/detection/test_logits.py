from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deployments.models.detection.logits import sigmoid
from tests.unit.deployments.models.builders import tensor


def test_logits_become_probabilities() -> None:
    logits = [-20.0, -1.5, 0.0, 0.25, 3.0]
    expected = [1 / (1 + math.exp(-logit)) for logit in logits]
    assert_allclose(sigmoid(tensor(logits)), expected, rtol=1e-6)
    assert sigmoid(tensor(logits)).dtype == np.float32


@pytest.mark.parametrize(("logit", "expected"), [(-1e30, 0.0), (1e30, 1.0), (np.inf, 1.0), (-np.inf, 0.0)])
def test_extreme_logits_neither_overflow_nor_warn(logit: float, expected: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sigmoid(tensor([logit]))[0] == expected


def test_what_is_no_number_stays_none() -> None:
    assert np.isnan(sigmoid(tensor([np.nan]))[0])


def test_nothing_stays_nothing() -> None:
    assert sigmoid(np.zeros((0, 3), np.float32)).shape == (0, 3)
