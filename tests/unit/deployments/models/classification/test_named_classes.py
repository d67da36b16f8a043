from __future__ import annotations

import pytest

from deployments.models.classification.named_classes import all_classes, best_class
from tests.unit.deployments.models.builders import tensor

NAMES = ("bike", "bus", "car")


def test_classes_above_the_threshold_come_surest_first_and_rounded() -> None:
    found = best_class(tensor([0.123449, 0.2, 0.676551]), NAMES, 0.12)
    assert found.class_name.tolist() == ["car", "bus", "bike"]
    assert found.class_id.tolist() == [2, 1, 0]
    assert found.confidence.tolist() == [0.6766, 0.2, 0.1234]
    assert (found.top_class, found.top_confidence) == ("car", 0.6766)
    assert not found.multi_label


@pytest.mark.parametrize(("threshold", "count"), [(0.25, 2), (0.2500001, 1)])
def test_a_score_equal_to_the_threshold_passes(threshold: float, count: int) -> None:
    assert len(best_class(tensor([0.25, 0.75, 0]), NAMES, threshold).class_id) == count


def test_the_comparison_comes_before_the_rounding() -> None:
    # 0.39996 would be 0.4 when rounded
    assert len(best_class(tensor([0.39996, 0.6, 0]), NAMES, 0.4).class_id) == 1


def test_of_equal_scores_the_class_with_the_smaller_number_comes_first() -> None:
    # 0.40001 and 0.40002 are both 0.4
    assert best_class(tensor([0.40001, 0.40002, 0.1]), NAMES, 0.2).class_id.tolist() == [0, 1]


def test_nothing_is_named_where_no_class_scores_enough() -> None:
    found = best_class(tensor([0.3, 0.3, 0.4]), NAMES, 0.5)
    assert len(found.class_name) == len(found.class_id) == len(found.confidence) == 0
    assert (found.top_class, found.top_confidence) == ("", 0.0)


def test_a_multi_label_classifier_names_every_class_with_its_score_as_it_is() -> None:
    scores = tensor([0.123456, 0.5, 0.9])
    found = all_classes(scores, NAMES, 0.5)
    assert found.class_name.tolist() == list(NAMES)
    assert found.confidence.tolist() == scores.tolist()
    assert found.predicted_classes == ("bus", "car")
    assert (found.top_class, found.top_confidence) == ("", 0.0)


def test_classes_can_have_thresholds_of_their_own() -> None:
    assert all_classes(tensor([0.5, 0.5, 0.5]), NAMES, tensor([0.4, 0.6, 0.5])).predicted_classes == ("bike", "car")


def test_no_class_may_apply() -> None:
    assert all_classes(tensor([0.1, 0.1, 0.1]), NAMES, 0.5).predicted_classes == ()
