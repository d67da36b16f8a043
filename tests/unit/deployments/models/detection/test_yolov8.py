from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.yolov8 import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, yolov8_output


def test_centre_and_size_become_corners() -> None:
    raw = decode([yolov8_output([(20, 30, 10, 6, 0.75)])], 0.5)
    assert_array_equal(raw.xyxy, [[15, 27, 25, 33]])
    assert_array_equal(raw.confidence, [0.75])
    assert_array_equal(raw.class_id, [0])


def test_a_score_equal_to_the_threshold_does_not_pass() -> None:
    output = yolov8_output([(20, 30, 10, 6, 0.5), (20, 30, 10, 6, 0.50001)])
    assert len(decode([output], 0.5).xyxy) == 1


def test_a_threshold_that_float32_cannot_hold_is_compared_in_float32() -> None:
    assert len(decode([yolov8_output([(20, 30, 10, 6, np.float32(0.4))])], 0.4).xyxy) == 0


def test_the_best_class_counts_and_of_equal_ones_the_first() -> None:
    output = yolov8_output([(9, 9, 2, 2, 0.6, 0.9, 0.1), (9, 9, 2, 2, 0.2, 0.7, 0.7)], classes=3)
    raw = decode([output], 0.5)
    assert_array_equal(raw.class_id, [1, 1])
    assert_array_equal(raw.confidence, np.array([0.9, 0.7], dtype=np.float32))


def test_boxes_keep_the_order_of_the_network() -> None:
    raw = decode([yolov8_output([(9, 9, 2, 2, 0.6), (5, 5, 2, 2, 0.9)])], 0.5)
    assert_array_equal(raw.confidence, np.array([0.6, 0.9], dtype=np.float32))


def test_thresholds_by_class_judge_the_best_class() -> None:
    output = yolov8_output([(9, 9, 2, 2, 0.6, 0.5), (9, 9, 2, 2, 0.3, 0.4), (9, 9, 2, 2, 0.9, 0.1)], classes=2)
    raw = decode([output], np.array([0.8, 0.3, 0.5], dtype=np.float32))
    # the first is best in class 0 and fails its 0.8, although it would pass in class 1
    assert_array_equal(raw.class_id, [1, 0])


@pytest.mark.parametrize("threshold", [0.5, np.array([0.5, 0.5, 0.5], dtype=np.float32)])
def test_nothing_found_gives_empty_arrays(threshold: object) -> None:
    raw = decode([yolov8_output([], classes=2)], threshold)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))
    assert (raw.xyxy.dtype, raw.confidence.dtype, raw.class_id.dtype) == (np.float32, np.float32, np.int64)


@pytest.mark.parametrize(("shape", "classes"), [((1, 84, 8400), 80), ((4, 5, 2100), 1), ((1, 6, 12), 2)])
def test_rows_behind_the_box_are_classes(shape: tuple[int, ...], classes: int) -> None:
    roles = find(outputs_of(output0=shape))
    assert roles is not None
    assert (roles.positions, roles.class_count) == ((0,), classes)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 84)),
        outputs_of(output0=(1, 4, 8400)),  # no class
        outputs_of(output0=(1, 300, 6)),  # boxes that the graph chose itself
        outputs_of(output0=(1, 84, 8400), output1=(1, 32, 160, 160)),  # a segmentation
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
