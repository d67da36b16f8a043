from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.yolov5 import decode, find
from deployments.models.network_output import NetworkOutput
from tests.unit.deployments.models.builders import outputs_of, tensor


def test_the_objectness_gates_and_the_score_of_the_class_is_reported() -> None:
    rows = tensor([[20, 30, 10, 6, 0.9, 0.1, 0.3], [20, 30, 10, 6, 0.4, 0.9, 0.9], [9, 9, 2, 2, 0.6, 0.8, 0.2]])
    raw = decode([rows], 0.5)
    # The first stays though its class scores 0.3, and not 0.9 times that; the second falls though its class scores 0.9.
    assert_array_equal(raw.confidence, tensor([0.3, 0.8]))
    assert_array_equal(raw.class_id, [1, 0])
    assert_array_equal(raw.xyxy, [[15, 27, 25, 33], [8, 8, 10, 10]])


def test_an_objectness_equal_to_the_threshold_does_not_pass() -> None:
    assert len(decode([tensor([[9, 9, 2, 2, 0.5, 1.0]])], 0.5).xyxy) == 0


def test_thresholds_by_class_judge_the_objectness() -> None:
    rows = tensor([[9, 9, 2, 2, 0.6, 0.9, 0.1], [9, 9, 2, 2, 0.6, 0.1, 0.9]])
    raw = decode([rows], tensor([0.7, 0.5, 0.4]))
    assert_array_equal(raw.class_id, [1])


@pytest.mark.parametrize("threshold", [0.5, tensor([0.5, 0.5, 0.5])])
def test_nothing_found_gives_empty_arrays(threshold: float) -> None:
    raw = decode([np.zeros((12, 7), np.float32)], threshold)
    assert (raw.xyxy.shape, raw.confidence.shape, raw.class_id.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("outputs", "position", "classes"),
    [
        (outputs_of(output0=(1, 25200, 85)), 0, 80),
        (outputs_of(output0=(1, 25200, 6)), 0, 1),
        (outputs_of(a=(1, 3, 80, 80, 85), b=(1, 3, 40, 40, 85), c=(1, 3, 20, 20, 85), d=(1, 25200, 85)), 3, 80),
    ],
)
def test_the_decoded_rows_are_found_beside_their_feature_maps(
    outputs: list[NetworkOutput], position: int, classes: int
) -> None:
    roles = find(outputs)
    assert roles is not None
    assert (roles.positions, roles.class_count) == ((position,), classes)


@pytest.mark.parametrize(
    "outputs",
    [
        outputs_of(),
        outputs_of(output0=(1, 25200, 5)),  # no class
        outputs_of(output0=(1, 84, 8400)),  # YOLOv8
        outputs_of(a=(1, 3, 80, 80, 85), b=(1, 3, 40, 40, 85), c=(1, 3, 20, 20, 85)),  # not decoded
        outputs_of(output0=(1, 25200, 117), output1=(1, 32, 160, 160)),  # a segmentation
    ],
)
def test_other_outputs_are_not_read(outputs: list[NetworkOutput]) -> None:
    assert find(outputs) is None
