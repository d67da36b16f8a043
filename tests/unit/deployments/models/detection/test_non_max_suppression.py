from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deployments.models.detection.non_max_suppression import BLOCK, intersection_over_union, non_max_suppression


def keep(boxes: list[list[float]], scores: list[float], classes: list[int] | None = None, **options: Any) -> list[int]:
    settings = {"iou_threshold": 0.5, "max_detections": 300, **options}
    return non_max_suppression(
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        np.array(scores, dtype=np.float32),
        np.array(classes or [0] * len(scores), dtype=np.int64),
        **settings,
    ).tolist()


WHOLE = [0, 0, 10, 10]
THREE_QUARTERS = [0, 0, 10, 7.5]  # overlap with WHOLE: 75 of 100
HALF = [0, 0, 10, 5]  # overlap with WHOLE: 50 of 100
FAR = [100, 100, 110, 110]


def test_no_boxes_stay_no_boxes() -> None:
    assert keep([], []) == []


def test_one_box_stays() -> None:
    assert keep([WHOLE], [0.9]) == [0]


def test_the_surer_of_two_that_overlap_stays() -> None:
    assert keep([THREE_QUARTERS, WHOLE], [0.6, 0.9]) == [1]


def test_boxes_come_surest_first() -> None:
    assert keep([WHOLE, FAR], [0.6, 0.9]) == [1, 0]


def test_an_overlap_equal_to_the_threshold_is_allowed() -> None:
    assert keep([WHOLE, HALF], [0.9, 0.8], iou_threshold=0.5) == [0, 1]
    assert keep([WHOLE, HALF], [0.9, 0.8], iou_threshold=0.49) == [0]


def test_the_threshold_is_compared_as_a_double() -> None:
    # 3 of 10 is 0.30000001192... in float32, which is more than 0.3
    assert keep([[0, 0, 10, 1], [0, 0, 3, 1]], [0.9, 0.8], iou_threshold=0.3) == [0]


def test_of_equally_sure_boxes_the_first_stays() -> None:
    assert keep([THREE_QUARTERS, WHOLE], [0.5, 0.5]) == [0]


def test_classes_do_not_suppress_one_another() -> None:
    assert keep([WHOLE, THREE_QUARTERS, WHOLE], [0.9, 0.8, 0.7], [0, 1, 0]) == [0, 1]


def test_classes_suppress_one_another_when_asked_to() -> None:
    assert keep([WHOLE, THREE_QUARTERS, FAR], [0.9, 0.8, 0.7], [0, 1, 1], class_agnostic=True) == [0, 2]


def test_a_dropped_box_drops_nothing() -> None:
    # the second overlaps both neighbours by 60 of 100, they one another by 20 of 140
    boxes = [[0, 0, 10, 10], [0, 2.5, 10, 12.5], [0, 5, 10, 15]]
    assert keep(boxes, [0.9, 0.8, 0.7]) == [0, 2]


def test_only_the_first_boxes_are_kept() -> None:
    assert keep([WHOLE, FAR, [50, 50, 60, 60]], [0.7, 0.8, 0.9], max_detections=2) == [2, 1]


def test_suppressed_boxes_do_not_count_towards_the_limit() -> None:
    assert keep([WHOLE, THREE_QUARTERS, FAR], [0.9, 0.8, 0.7], max_detections=2) == [0, 2]


def test_boxes_without_area_suppress_nothing() -> None:
    assert keep([[5, 5, 5, 5], [5, 5, 5, 5], WHOLE], [0.9, 0.8, 0.7]) == [0, 1, 2]


@pytest.mark.parametrize("agnostic", [False, True])
def test_boxes_of_later_blocks_are_compared_with_those_kept_before(agnostic: bool) -> None:
    apart = [[20.0 * index, 0, 20.0 * index + 10, 10] for index in range(BLOCK)]
    count = len(apart)
    scores = [1 - index / 1000 for index in range(count + 2)]
    boxes = [*apart, [0, 0, 10, 8], FAR]
    assert keep(boxes, scores, class_agnostic=agnostic) == [*range(count), count + 1]
    assert keep(boxes, scores, [0] * count + [1, 1], class_agnostic=agnostic) == (
        [*range(count), count + 1] if agnostic else [*range(count + 2)]
    )


def test_arguments_are_not_written_to() -> None:
    arrays = np.array([WHOLE, HALF], dtype=np.float32), np.array([0.1, 0.2], dtype=np.float32), np.zeros(2, np.int64)
    for array in arrays:
        array.flags.writeable = False
    assert non_max_suppression(*arrays, iou_threshold=0.5, max_detections=9).tolist() == [1, 0]


def test_overlap_is_intersection_over_union() -> None:
    one = np.array([WHOLE], dtype=np.float32)
    others = np.array([WHOLE, HALF, FAR, [5, 5, 15, 15]], dtype=np.float32)
    assert_allclose(intersection_over_union(one, others), [[1, 0.5, 0, 25 / 175]], rtol=1e-6)
