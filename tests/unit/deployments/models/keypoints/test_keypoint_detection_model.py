from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.errors import ModelLoadError
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode, StaticCrop
from deployments.models.keypoints.keypoint_detection_model import KeypointDetectionModel, named_points
from deployments.models.package_layouts.contents import Skeleton
from tests.unit.deployments.models.builders import FakeEngine, package, tensor
from workflows.ports import PredictionOptions
from workflows.values.detections import KeyPoints

PICTURE = np.zeros((32, 64, 3), dtype=np.uint8)
PERSON = Skeleton(names=("nose", "tail"), edges=((0, 1),))
CAR = Skeleton(names=("wheel",), edges=())


def pose(*columns: tuple[float, ...], classes: int = 1) -> FakeEngine:
    """Answers boxes of centre x and y, width, height, class scores, and two key points of x, y and score."""
    anchors = np.zeros((4 + classes + 6, 16), dtype=np.float32)
    for index, column in enumerate(columns):
        anchors[:, index] = column
    return FakeEngine(lambda batch: np.stack([anchors] * len(batch)))


def model(engine: FakeEngine, **changes: Any) -> KeypointDetectionModel:
    values = {"task_type": "keypoint-detection", "class_names": ("person",), "skeletons": (PERSON,)}
    return KeypointDetectionModel(package(**values | changes), engine)


def only(detector: KeypointDetectionModel, **options: Any) -> tuple[ScoredBoxes, KeyPoints]:
    (found,) = detector.predict_batch([PICTURE], [PredictionOptions(**options)]).predictions
    assert isinstance(found, ScoredBoxes)
    assert found.keypoints is not None
    return found, found.keypoints


def test_key_points_of_the_canvas_come_to_lie_on_the_picture() -> None:
    # stretched from 64x32 to 64x64: rows are halved, and 13 / 2 rounds to the even 6
    found, points = only(model(pose((24, 32, 16, 32, 0.9, 20, 13, 0.75, 90, -8, 0.5))))
    assert_array_equal(found.xyxy, [[16, 8, 32, 24]])
    assert_array_equal(points.xy, [[[20, 6], [90, -4]]])  # also outside of the picture
    assert points.confidence.tolist() == [[0.75, 0.5]]
    assert points.class_id.tolist() == [[0, 1]]
    assert points.class_name.tolist() == [["nose", "tail"]]


def test_the_geometry_of_the_package_is_undone_for_key_points_too() -> None:
    # the right half, 32x32, letterboxed to 64x64: twice as large, moved by 32
    steps = ImagePreprocessing(
        resize_mode=ResizeMode.LETTERBOX,
        input_hw=(64, 64),
        static_crop=StaticCrop(x_min=50, y_min=0, x_max=100, y_max=100),
    )
    _, points = only(model(pose((24, 32, 16, 32, 0.9, 20, 12, 0.75, 8, 8, 0.5)), preprocessing=steps))
    assert_array_equal(points.xy, [[[42, 6], [36, 4]]])


def test_key_points_that_are_too_unsure_are_missing() -> None:
    engine = pose((24, 32, 16, 32, 0.9, 20, 12, 0.75, 8, 8, 0.5))
    _, points = only(model(engine), keypoint_confidence=0.6)
    assert np.isnan(points.xy[0, 1]).all()
    assert points.confidence.tolist() == [[0.75, 0.0]]
    _, points = only(model(engine), keypoint_confidence=0.5)
    assert not np.isnan(points.xy).any()  # a score equal to the threshold passes


def test_key_points_follow_their_boxes_through_suppression_and_filters() -> None:
    engine = pose(
        (16, 32, 16, 32, 0.7, 0, 1, 2, 0.5, 1, 2, 0.5),
        (17, 32, 16, 32, 0.9, 0, 3, 4, 0.5, 3, 4, 0.5),
        (48, 32, 16, 32, 0, 0.8, 5, 6, 0.5, 5, 6, 0.5),
        classes=2,
    )
    detector = model(engine, class_names=("person", "car"), skeletons=(PERSON, CAR))
    found, points = only(detector)
    assert found.class_names == ("person", "car")
    assert_array_equal(points.xy[:, 0], [[3, 2], [5, 3]])
    found, points = only(detector, class_filter=("car",))
    assert found.class_names == ("car",)
    assert_array_equal(points.xy[:, 0], [[5, 3]])


def test_a_class_with_fewer_key_points_lacks_the_others() -> None:
    engine = pose((48, 32, 16, 32, 0, 0.8, 5, 6, 0.5, 5, 6, 0.5), classes=2)
    _, points = only(model(engine, class_names=("person", "car"), skeletons=(PERSON, CAR)))
    assert points.class_name.tolist() == [["wheel", ""]]
    assert np.isnan(points.xy[0]).any(axis=1).tolist() == [False, True]


def test_a_class_without_a_skeleton_has_no_key_points() -> None:
    engine = pose((48, 32, 16, 32, 0, 0.8, 5, 6, 0.5, 5, 6, 0.5), classes=2)
    found, points = only(model(engine))
    assert found.class_names == ("1",)
    assert np.isnan(points.xy).all()


def test_nothing_found_has_no_key_points() -> None:
    found, points = only(model(pose()))
    assert found.xyxy.shape == (0, 4)
    assert points.xy.shape == (0, 2, 2)
    assert points.class_name.shape == points.class_id.shape == points.confidence.shape == (0, 2)


def test_an_empty_batch_has_an_empty_answer() -> None:
    assert model(pose()).predict_batch([], []).predictions == []


NO_POINTS = Skeleton(names=(), edges=())


@pytest.mark.parametrize("skeletons", [(), (NO_POINTS,), (NO_POINTS, NO_POINTS)])
def test_a_package_that_names_no_key_points_is_refused(skeletons: tuple[Skeleton, ...]) -> None:
    with pytest.raises(ModelLoadError, match=r"names no key points; keypoints_metadata\.json must hold"):
        model(pose(), skeletons=skeletons)


def test_one_class_may_have_no_key_points() -> None:
    found, points = only(model(pose((24, 32, 16, 32, 0.9, 20, 13, 0.75, 9, 8, 0.5)), skeletons=(NO_POINTS, PERSON)))
    assert len(found.xyxy) == 1
    assert not points.confidence.any()


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_key_point_with_a_number_that_is_none_is_missing(broken: float) -> None:
    xy: NDArray[np.float32] = tensor([[[broken, 1], [2, 3]]])
    found = named_points(xy, tensor([[0.5, broken]]), [PERSON], 0.0)
    assert np.isnan(found.xy[0, 0]).all()
    assert not np.isnan(found.confidence).any()


def test_a_key_point_that_scores_nothing_is_missing_whatever_the_threshold() -> None:
    found = named_points(tensor([[[1, 1], [2, 3]]]), tensor([[0, 0.1]]), [PERSON], 0.0)
    assert np.isnan(found.xy[0]).any(axis=1).tolist() == [True, False]


def test_a_package_that_names_no_class_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"names no classes; write class_names\.txt"):
        model(pose(), class_names=())
