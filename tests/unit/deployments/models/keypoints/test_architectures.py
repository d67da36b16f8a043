"""Which outputs each family of models of key points reads, and what it makes of raw tensors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.keypoints.architectures import choose_architecture
from deployments.models.keypoints.yolo26 import YOLO26_POSE
from deployments.models.keypoints.yolov8 import YOLOV8_POSE
from tests.unit.deployments.models.builders import outputs_of, package, tensor

POSE = outputs_of(output0=[1, 4 + 2 + 3 * 5, 189])
CHOSEN = outputs_of(output0=[1, 300, 6 + 3 * 5])


def test_each_family_finds_its_output_and_no_other() -> None:
    assert YOLOV8_POSE.find(POSE, 5).class_count == 2  # type: ignore[union-attr]
    assert YOLO26_POSE.find(CHOSEN, 5).class_count is None  # type: ignore[union-attr]
    assert YOLOV8_POSE.find(POSE, 6) is None
    assert YOLO26_POSE.find(POSE, 5) is YOLO26_POSE.find(CHOSEN, 4) is YOLO26_POSE.find([], 5) is None
    assert YOLOV8_POSE.find([], 5) is YOLOV8_POSE.find(CHOSEN, 99) is None


@pytest.mark.parametrize("name", ["yolov8", "yolov11", "yolov12", None])
def test_columns_of_anchors_are_read_as_yolov8_has_them(name: str | None) -> None:
    assert choose_architecture(package(architecture=name), POSE, 5)[0] is YOLOV8_POSE


@pytest.mark.parametrize(("name", "suppresses"), [("yolo26", False), ("yolov8", True), (None, True)])
def test_chosen_rows_are_read_as_yolo26_has_them(name: str | None, suppresses: bool) -> None:
    assert choose_architecture(package(architecture=name, graph_suppresses=suppresses), CHOSEN, 5)[0] is YOLO26_POSE


def test_a_number_of_key_points_that_does_not_fit_the_network_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"yolov8 with 17 key points an object, .* gives output0\[1, 21, 189\]"):
        choose_architecture(package(), POSE, 17)


def test_a_family_without_key_points_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="models of key points served here are yolo26, yolov8"):
        choose_architecture(package(architecture="yolov5"), POSE, 5)


def test_key_points_of_anchors_stand_below_their_scores() -> None:
    anchors = tensor(
        [[5, 6], [5, 6], [2, 2], [2, 2], [0.9, 0.8], [1, 11], [2, 12], [0.3, 0.4], [3, 13], [4, 14], [0.5, 0.6]]
    )
    assert_array_equal(YOLOV8_POSE.box_tensors([anchors], 2)[0], anchors[:5])
    points = YOLOV8_POSE.points([anchors], 2, np.array([1]))
    assert_array_equal(points, tensor([[[11, 12, 0.4], [13, 14, 0.6]]]))
    assert YOLOV8_POSE.points([anchors], 2, np.zeros(0, np.int64)).shape == (0, 2, 3)


def test_key_points_of_chosen_rows_stand_behind_their_class() -> None:
    rows = tensor([[0, 0, 4, 4, 0.9, 0, 1, 2, 0.3], [0, 0, 4, 4, 0.8, 0, 11, 12, 0.4]])
    assert_array_equal(YOLO26_POSE.box_tensors([rows], 1)[0], rows[:, :6])
    assert_array_equal(YOLO26_POSE.points([rows], 1, np.array([1, 0])), tensor([[[11, 12, 0.4]], [[1, 2, 0.3]]]))
