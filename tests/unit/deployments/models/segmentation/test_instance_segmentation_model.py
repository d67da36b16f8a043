from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.errors import ModelLoadError
from deployments.models.segmentation import instance_segmentation_model
from deployments.models.segmentation.instance_segmentation_model import InstanceSegmentationModel
from tests.unit.deployments.models.builders import FakeEngine, package, tensor
from workflows.ports import PredictionOptions

PICTURE = np.zeros((32, 64, 3), dtype=np.uint8)
EVERYWHERE = tensor(np.full((1, 16, 16), 8.0))


def yolov8_seg(*boxes: tuple[float, ...], prototypes: NDArray[np.float32] = EVERYWHERE, classes: int = 1) -> FakeEngine:
    """Answers boxes of centre x and y, width, height, class scores and the number for the one prototype."""
    anchors = np.zeros((5 + classes, 12), dtype=np.float32)
    for column, box in enumerate(boxes):
        anchors[:, column] = box

    def answer(batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {name: np.stack([each] * len(batch)) for name, each in (("rows", anchors), ("protos", prototypes))}

    return FakeEngine(answer)


def model(engine: FakeEngine, **changes: Any) -> InstanceSegmentationModel:
    return InstanceSegmentationModel(package(task_type="instance-segmentation", **changes), engine)


def only(segmenter: InstanceSegmentationModel, **options: Any) -> ScoredBoxes:
    (found,) = segmenter.predict_batch([PICTURE], [PredictionOptions(**options)]).predictions
    assert isinstance(found, ScoredBoxes)
    assert found.masks is not None
    assert len(found.masks) == len(found)
    return found


def test_a_box_of_the_canvas_and_its_mask_come_to_lie_on_the_picture() -> None:
    # stretched from 64x32 to 64x64; cells of 4 canvas pixels, so columns 4 to 8 and rows 4 to 12 of the grid
    found = only(model(yolov8_seg((24, 32, 16, 32, 0.9, 1))))
    assert_array_equal(found.xyxy, [[16, 8, 32, 24]])
    assert found.class_names == ("plate",)
    assert model(yolov8_seg(), architecture=None).architecture_name == "yolov8"
    assert found.masks is not None
    left, top, width, height = found.masks.windows_ltwh[0].tolist()
    # 0.9997 inside and 0 outside: at the sides one half lies where the box ends, the corners of two means are below it
    assert (left, top, left + width, top + height) == (16, 8, 32, 24)
    assert found.masks.areas_px().tolist() == [16 * 16 - 4]


def test_objects_that_overlap_are_suppressed_with_their_masks() -> None:
    engine = yolov8_seg((16, 32, 16, 32, 0.7, 1), (17, 32, 16, 32, 0.9, 1), (48, 32, 16, 32, 0.8, 1))
    found = only(model(engine))
    assert found.confidence.tolist() == pytest.approx([0.9, 0.8])
    assert found.masks is not None
    assert [window[0] for window in found.masks.windows_ltwh.tolist()] == [8, 40]


def test_objects_whose_masks_have_no_pixel_are_left_out() -> None:
    found = only(model(yolov8_seg((16, 32, 16, 32, 0.9, -1), (48, 32, 16, 32, 0.8, 1))))
    assert found.confidence.tolist() == pytest.approx([0.8])


def test_the_filter_of_classes_and_the_limit_hold_for_masks_too() -> None:
    engine = yolov8_seg((16, 32, 16, 32, 0.9, 0, 1), (48, 32, 16, 32, 0, 0.8, 1), classes=2)
    segmenter = model(engine, class_names=("plate", "car"))
    assert only(segmenter, class_filter=("car",)).class_names == ("car",)
    assert only(segmenter, max_detections=1).class_names == ("plate",)
    assert only(segmenter, max_detections=1, class_filter=("car",)).class_names == ()


def test_nothing_found_has_no_masks_on_a_picture_of_known_size() -> None:
    found = only(model(yolov8_seg()))
    assert found.xyxy.shape == (0, 4)
    assert found.masks is not None
    assert found.masks.image_wh == (64, 32)


def test_an_empty_batch_has_an_empty_answer() -> None:
    assert model(yolov8_seg()).predict_batch([], []).predictions == []


def test_each_picture_of_a_batch_has_its_own_mode() -> None:
    grid = tensor(np.tile(np.linspace(-8, 8, 16), (16, 1))[None])
    segmenter = model(yolov8_seg((32, 32, 64, 64, 0.9, 1), prototypes=grid))
    options = [PredictionOptions(), PredictionOptions(mask_decode_mode="fast")]
    accurate, fast = segmenter.predict_batch([np.zeros((4, 100, 3), np.uint8)] * 2, options).predictions
    assert isinstance(accurate, ScoredBoxes)
    assert isinstance(fast, ScoredBoxes)
    assert accurate.masks is not None
    assert fast.masks is not None
    # the middle of the ramp is at pixel 50 either way; 8 cells of 6.25 pixels end at 50
    assert [each.masks.windows_ltwh.tolist() for each in (accurate, fast)] == [[[50, 0, 50, 4]], [[50, 0, 50, 4]]]


def rfdetr_seg(masks: NDArray[np.float32]) -> FakeEngine:
    """Two queries side by side, both surely of class 0, the first surer."""
    dets = tensor([[0.25, 0.5, 0.5, 1], [0.75, 0.5, 0.5, 1]])
    labels = tensor([[4, -9], [3, -9]])

    def answer(batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        outputs = (("dets", dets), ("labels", labels), ("masks", masks))
        return {name: np.stack([each] * len(batch)) for name, each in outputs}

    return FakeEngine(answer)


def test_masks_of_rfdetr_may_reach_beyond_their_boxes() -> None:
    masks = np.full((2, 4, 4), -5, np.float32)
    masks[0, :, :3] = 5
    masks[1, 1:3, 3:] = 5
    found = only(model(rfdetr_seg(masks), architecture="rfdetr"))
    assert_array_equal(found.xyxy, [[0, 0, 32, 32], [32, 0, 64, 32]])
    assert found.masks is not None
    assert found.masks.windows_ltwh.tolist() == [[0, 0, 48, 32], [48, 8, 16, 16]]


def test_queries_of_rfdetr_are_held_to_the_limit() -> None:
    found = only(model(rfdetr_seg(np.full((2, 4, 4), 5, np.float32)), architecture="rfdetr"), max_detections=1)
    assert_array_equal(found.xyxy, [[0, 0, 32, 32]])


def test_a_package_that_names_no_class_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"names no classes; write class_names\.txt"):
        model(yolov8_seg(), class_names=())


def test_more_masks_than_there_is_time_for_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance_segmentation_model, "MAX_MASKS", 1)
    engine = yolov8_seg((16, 32, 16, 32, 0.9, 1), (48, 32, 16, 32, 0.8, 1))
    assert only(model(engine), max_detections=100_000).confidence.tolist() == pytest.approx([0.9])
