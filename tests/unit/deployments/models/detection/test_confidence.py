from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.confidence import resolve_confidence
from deployments.models.package_layouts.contents import RecommendedThresholds
from tests.unit.deployments.models.builders import package


@pytest.mark.parametrize("confidence", [0.0, 0.25, 2.0])
def test_a_number_is_taken_as_it_is(confidence: float) -> None:
    assert resolve_confidence(package(default_confidence=0.9), confidence, 0.4) == confidence


def test_the_default_is_that_of_the_package_or_else_of_the_architecture() -> None:
    assert resolve_confidence(package(default_confidence=0.2), "default", 0.4) == 0.2
    assert resolve_confidence(package(), "default", 0.25) == 0.25


def test_the_best_is_what_the_evaluation_found_or_else_the_default() -> None:
    assert resolve_confidence(package(recommended=RecommendedThresholds(confidence=0.37)), "best", 0.4) == 0.37
    assert resolve_confidence(package(default_confidence=0.2), "best", 0.4) == 0.2


def test_the_best_is_found_by_class_where_the_evaluation_did() -> None:
    recommended = RecommendedThresholds(confidence=0.3, per_class_confidence={"car": 0.6})
    thresholds = resolve_confidence(package(class_names=("plate", "car"), recommended=recommended), "best", 0.4)
    assert_array_equal(thresholds, np.array([0.3, 0.6, 0.3], dtype=np.float32))  # the last: classes without a name


def test_a_removed_class_never_passes_and_leaves_the_others_in_their_place() -> None:
    recommended = RecommendedThresholds(confidence=0.3, per_class_confidence={"car": 0.6})
    own = package(class_names=("plate", "car"), removed_class_ids=(0, 2), recommended=recommended)
    expected = np.array([np.inf, 0.3, np.inf, 0.6, 0.3], dtype=np.float32)
    assert_array_equal(resolve_confidence(own, "best", 0.4), expected)
