from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection import chosen_boxes
from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.errors import ModelLoadError
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode
from deployments.models.package_layouts.contents import RecommendedThresholds
from tests.unit.deployments.models.builders import FakeEngine, package, yolov8_output
from workflows.ports import PredictionOptions

PLATE_AND_CAR = ("plate", "car")


def picture(height: int = 64, width: int = 64) -> NDArray[np.uint8]:
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels


def constant(output: NDArray[np.float32], **engine: Any) -> FakeEngine:
    """An engine that finds the same on every picture."""
    return FakeEngine(lambda batch: np.repeat(output[None], len(batch), axis=0), **engine)


def test_boxes_come_in_pixels_of_the_picture_surest_first() -> None:
    engine = constant(yolov8_output([(16, 16, 8, 8, 0.6), (32, 32, 16, 8, 0.9)]))
    found = ObjectDetectionModel(package(), engine).predict_batch([picture(32, 128)], [PredictionOptions()]).predictions
    # the picture is 128x32: two of its columns and half a row for one of the canvas
    assert_array_equal(found[0].xyxy, [[48, 14, 80, 18], [24, 6, 40, 10]])
    assert_array_equal(found[0].confidence, np.array([0.9, 0.6], dtype=np.float32))
    assert found[0].class_names == ("plate", "plate")


def test_one_run_answers_pictures_of_different_sizes_and_options() -> None:
    engine = constant(yolov8_output([(16, 16, 8, 8, 0.6), (48, 48, 8, 8, 0.9)]))
    model = ObjectDetectionModel(package(), engine)
    engine.batches.clear()
    options = [PredictionOptions(), PredictionOptions(confidence=0.7), PredictionOptions(max_detections=1)]
    found = model.predict_batch([picture(), picture(128, 128), picture(32, 32)], options).predictions
    assert [len(boxes) for boxes in found] == [2, 1, 1]
    assert_array_equal(found[1].xyxy, [[88, 88, 104, 104]])
    assert_array_equal(found[2].xyxy, [[22, 22, 26, 26]])
    assert [batch.shape for batch in engine.batches] == [(3, 3, 64, 64)]


def test_boxes_on_a_picture_given_smaller_are_those_on_the_whole() -> None:
    engine = constant(yolov8_output([(32, 32, 16, 8, 0.9)]))
    model = ObjectDetectionModel(
        package(preprocessing=ImagePreprocessing(input_hw=(64, 64), reduced_decoding=True)), engine
    )
    options = PredictionOptions()
    assert model.needed_wh((256, 128), options) == (64, 32)
    boxes, smaller = model.predict_batch(
        [picture(128, 256), picture(64, 128)], [options] * 2, [(256, 128), (256, 128)]
    ).predictions
    assert_array_equal(boxes.xyxy, [[96, 48, 160, 80]])
    assert_array_equal(smaller.xyxy, boxes.xyxy)


def test_each_picture_gets_what_was_found_on_it() -> None:
    # brightness of the picture decides where its box lies
    def answer(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([yolov8_output([(round(float(planes.max() * 255)), 32, 4, 4, 0.9)]) for planes in batch])

    model = ObjectDetectionModel(package(), FakeEngine(answer))
    images = [np.full((64, 64, 3), value, dtype=np.uint8) for value in (10, 40, 20)]
    found = model.predict_batch(images, [PredictionOptions()] * 3).predictions
    assert [boxes.xyxy[0].tolist() for boxes in found] == [[8, 30, 12, 34], [38, 30, 42, 34], [18, 30, 22, 34]]


def test_an_empty_batch_has_an_empty_answer() -> None:
    engine = constant(yolov8_output([]))
    model = ObjectDetectionModel(package(), engine)
    engine.batches.clear()
    assert model.predict_batch([], []).predictions == []
    assert engine.batches == []


def test_a_picture_without_objects_has_empty_arrays() -> None:
    model = ObjectDetectionModel(package(), constant(yolov8_output([])))
    boxes = model.predict_batch([picture()], [PredictionOptions()]).predictions[0]
    assert (boxes.xyxy.shape, boxes.confidence.shape, boxes.class_id.shape, boxes.class_names) == (
        (0, 4),
        (0,),
        (0,),
        (),
    )


def test_a_fixed_batch_splits_the_pictures() -> None:
    engine = constant(yolov8_output([(16, 16, 8, 8, 0.6)]), input_shape=(2, 3, 64, 64))
    model = ObjectDetectionModel(package(), engine)
    engine.batches.clear()
    found = model.predict_batch([picture()] * 3, [PredictionOptions()] * 3).predictions
    assert [len(boxes) for boxes in found] == [1, 1, 1]
    assert [len(batch) for batch in engine.batches] == [2, 2]
    assert model.batch_size == 2


def test_the_class_filter_comes_after_the_limit() -> None:
    output = yolov8_output([(10, 10, 4, 4, 0.9, 0), (30, 30, 4, 4, 0, 0.8)], classes=2)
    model = ObjectDetectionModel(package(class_names=PLATE_AND_CAR), constant(output))

    def names(**options: Any) -> tuple[str, ...]:
        return model.predict_batch([picture()], [PredictionOptions(**options)]).predictions[0].class_names

    assert names() == ("plate", "car")
    assert names(class_filter=("car",)) == ("car",)
    assert names(class_filter=("car",), max_detections=1) == ()
    assert names(class_filter=("bus",)) == ()
    assert names(class_filter=()) == ()


def test_suppression_takes_threshold_and_classes_from_the_request() -> None:
    output = yolov8_output([(10, 10, 8, 8, 0.9, 0), (10, 12, 8, 8, 0, 0.8)], classes=2)  # overlap 48 of 80
    model = ObjectDetectionModel(package(class_names=PLATE_AND_CAR), constant(output))

    def count(**options: Any) -> int:
        return len(model.predict_batch([picture()], [PredictionOptions(**options)]).predictions[0])

    assert count() == 2
    assert count(class_agnostic_nms=True) == 1
    assert count(class_agnostic_nms=True, iou_threshold=0.7) == 2


def test_the_best_threshold_is_taken_by_class() -> None:
    output = yolov8_output([(10, 10, 4, 4, 0.5, 0), (30, 30, 4, 4, 0, 0.5)], classes=2)
    recommended = RecommendedThresholds(confidence=0.4, per_class_confidence={"car": 0.6})
    model = ObjectDetectionModel(package(class_names=PLATE_AND_CAR, recommended=recommended), constant(output))
    assert model.predict_batch([picture()], [PredictionOptions(confidence="best")]).predictions[0].class_names == (
        "plate",
    )


def test_a_class_without_a_name_is_called_by_its_number(caplog: pytest.LogCaptureFixture) -> None:
    output = yolov8_output([(10, 10, 4, 4, 0, 0.9)], classes=2)
    with caplog.at_level(logging.WARNING):
        model = ObjectDetectionModel(package(), constant(output))
    assert model.predict_batch([picture()], [PredictionOptions()]).predictions[0].class_names == ("1",)
    assert [(record.class_names, record.network_classes) for record in caplog.records] == [(1, 2)]


def test_fitting_the_longer_edge_becomes_a_grey_letterbox() -> None:
    engine = constant(yolov8_output([]))
    steps = ImagePreprocessing(resize_mode=ResizeMode.FIT_LONGER_EDGE, input_hw=(64, 64), scaling_factor=None)
    ObjectDetectionModel(package(preprocessing=steps), engine).predict_batch([picture(32, 64)], [PredictionOptions()])
    assert engine.batches[-1].shape == (1, 3, 64, 64)
    assert_array_equal(engine.batches[-1][0, 0, :, 0], [127] * 16 + [0] * 32 + [127] * 16)


@pytest.mark.parametrize(
    ("input_shape", "package_hw", "divisor", "expected"),
    [
        ((None, 3, 96, 128), (64, 64), 1, (96, 128)),
        ((None, 3, None, None), (64, 32), 1, (64, 32)),
        ((None, 3, None, None), (50, 65), 32, (64, 96)),
        ((None, 3, None, None), None, 32, (640, 640)),
    ],
)
def test_the_size_is_that_of_the_graph_else_of_the_package_else_640(
    input_shape: tuple[int | None, ...], package_hw: tuple[int, int] | None, divisor: int, expected: tuple[int, int]
) -> None:
    steps = ImagePreprocessing(input_hw=package_hw, size_divisor=divisor)
    model = ObjectDetectionModel(package(preprocessing=steps), constant(yolov8_output([]), input_shape=input_shape))
    assert model.input_hw == expected


def test_a_package_without_an_architecture_is_told_by_its_output() -> None:
    model = ObjectDetectionModel(package(architecture=None), constant(yolov8_output([(16, 16, 8, 8, 0.6)])))
    assert len(model.predict_batch([picture()], [PredictionOptions()]).predictions[0]) == 1


@pytest.mark.parametrize("input_shape", [(None, 10), (None, 1, 64, 64), (None, 64, 64, 3)])
def test_a_network_that_takes_no_pictures_is_refused(input_shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ModelLoadError, match="takes one batch of pictures"):
        ObjectDetectionModel(package(), constant(yolov8_output([]), input_shape=input_shape))


def test_pictures_above_the_largest_batch_of_the_package_take_several_runs() -> None:
    engine = constant(yolov8_output([(16, 16, 8, 8, 0.6)]))
    model = ObjectDetectionModel(package(max_batch_size=2), engine)
    assert [len(boxes) for boxes in model.predict_batch([picture()] * 3, [PredictionOptions()] * 3).predictions] == [
        1,
        1,
        1,
    ]
    assert [len(batch) for batch in engine.batches[1:]] == [2, 1]  # the first run warms the model


def test_a_network_that_scores_no_class_is_refused() -> None:
    with pytest.raises(ModelLoadError, match=r"gives output0\[1, 4, 12\]"):
        ObjectDetectionModel(package(), constant(np.zeros((4, 12), dtype=np.float32)))


def test_an_output_of_another_rank_is_refused() -> None:
    with pytest.raises(ModelLoadError, match="4 \\+ classes, anchors"):
        ObjectDetectionModel(package(), FakeEngine(lambda batch: np.zeros((len(batch), 5), dtype=np.float32)))


def test_the_time_is_split_into_its_three_parts() -> None:
    model = ObjectDetectionModel(package(), constant(yolov8_output([])))
    timing = model.predict_batch([picture()], [PredictionOptions()]).timing
    assert timing.preprocess_ms > 0
    assert timing.inference_ms > 0
    assert timing.postprocess_ms > 0
    assert timing.total_ms == timing.preprocess_ms + timing.inference_ms + timing.postprocess_ms


def rows(*boxes: Sequence[float]) -> NDArray[np.float32]:
    """(3, 6) rows of a graph that chooses its boxes itself; the last ones stand for nothing."""
    output = np.zeros((3, 6), dtype=np.float32)
    output[:, 5] = -1
    output[: len(boxes)] = np.reshape(boxes, (-1, 6))
    return output


def found_by(architecture: str, output: NDArray[np.float32], *, fused: bool = False, **options: Any) -> list[float]:
    """Confidences on a picture of the canvas' size."""
    model = ObjectDetectionModel(package(architecture=architecture, graph_suppresses=fused), constant(output))
    boxes = model.predict_batch([picture()], [PredictionOptions(**options)]).predictions[0]
    return [round(float(value), 4) for value in boxes.confidence]


def test_boxes_that_the_graph_chose_are_not_suppressed_again() -> None:
    output = rows([8, 8, 24, 24, 0.9, 0], [8, 8, 24, 25, 0.5, 0])
    for architecture, fused in (("yolov10", False), ("yolo26", False), ("yolov8", True)):
        assert found_by(architecture, output, fused=fused, iou_threshold=0.1, class_agnostic_nms=True) == [0.9, 0.5]


def test_the_limit_counts_for_yolov10_and_for_no_graph_with_suppression_in_it() -> None:
    output = rows([8, 8, 24, 24, 0.9, 0], [30, 30, 40, 40, 0.5, 0])
    assert found_by("yolov10", output, max_detections=1) == [0.9]
    assert found_by("yolo26", output, max_detections=1) == [0.9, 0.5]
    assert found_by("yolov8", output, fused=True, max_detections=1) == [0.9, 0.5]


def test_a_score_at_the_threshold_counts_only_for_a_graph_with_suppression_in_it() -> None:
    output = rows([8, 8, 24, 24, 0.5, 0])
    assert found_by("yolov10", output, confidence=0.5) == []
    assert found_by("yolo26", output, confidence=0.5) == [0.5]
    assert found_by("yolov8", output, fused=True, confidence=0.5) == [0.5]


def test_the_default_threshold_is_lower_for_a_graph_with_suppression_in_it() -> None:
    output = rows([8, 8, 24, 24, 0.25, 0], [30, 30, 40, 40, 0.24, 0])
    assert found_by("yolov10", output, confidence="default") == []
    for mode in ("default", "best"):
        assert found_by("yolov8", output, fused=True, confidence=mode) == [0.25]


def detr(boxes: Sequence[Sequence[float]], logits: Sequence[Sequence[float]], **engine: Any) -> FakeEngine:
    """An engine that answers every picture as a DETR graph."""
    outputs = {"dets": np.array(boxes, dtype=np.float32), "labels": np.array(logits, dtype=np.float32)}
    return FakeEngine(
        lambda batch: {name: np.repeat(value[None], len(batch), axis=0) for name, value in outputs.items()}, **engine
    )


def test_queries_are_answered_all_and_in_pixels_of_the_picture() -> None:
    engine = detr([[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 0.5, 0.25]], [[2, -9], [4, -9]], input_shape=(None, 3, 64, 32))
    model = ObjectDetectionModel(package(architecture="rfdetr"), engine)
    options = PredictionOptions(max_detections=1, iou_threshold=0.1)
    (boxes,) = model.predict_batch([picture(200, 100)], [options]).predictions
    assert_array_equal(boxes.xyxy, [[25, 75, 75, 125]] * 2)  # a quarter to three quarters of 100, 3/8 to 5/8 of 200
    assert boxes.confidence[0] > boxes.confidence[1]
    assert boxes.class_names == ("plate", "plate")


def test_the_last_class_of_a_detr_is_background_and_removed_classes_are_not_told() -> None:
    engine = detr([[0.5, 0.5, 0.5, 0.5]] * 3, [[9, -9, -9, -9], [-9, -9, 3, -9], [-9, -9, -9, 9]])
    own = package(architecture="rfdetr", class_names=PLATE_AND_CAR, removed_class_ids=(0,))
    (boxes,) = ObjectDetectionModel(own, engine).predict_batch([picture()], [PredictionOptions()]).predictions
    # the first query is of the removed class, the third of the class beyond the names
    assert (boxes.class_id.tolist(), boxes.class_names) == ([1], ("car",))


def test_what_a_package_calls_a_letterbox_is_stretched_for_a_detr() -> None:
    engine = detr([[0.5, 0.5, 0.5, 0.5]], [[-9, -9]])
    steps = ImagePreprocessing(input_hw=(64, 64), padding_value=127, complete=False)
    model = ObjectDetectionModel(package(architecture="rfdetr", preprocessing=steps), engine)
    model.predict_batch([picture(32, 64)], [PredictionOptions()])
    # black everywhere, no padding, normalized: (0 - 0.485) / 0.229 for red
    assert_allclose(engine.batches[-1][0, 0], np.full((64, 64), -0.485 / 0.229), rtol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_a_broken_network_gives_is_not_passed_on(broken: float) -> None:
    good = (32, 32, 16, 8, 0.9)
    output = yolov8_output([good, (16, 16, 8, 8, broken), (broken, 16, 8, 8, 0.8), (16, 16, broken, 8, 0.7)])
    assert found_by("yolov8", output) == [0.9]
    assert found_by("yolov10", rows([8, 8, 24, 24, 0.9, 0], [8, 8, broken, 24, 0.8, 0])) == [0.9]
    assert found_by("yolov5", np.array([[32, 32, 9, 9, 0.9, 0.9], [32, 32, 9, 9, broken, 0.8]] * 4, np.float32)) == [
        0.9
    ]


def test_a_network_that_is_broken_altogether_finds_nothing() -> None:
    model = ObjectDetectionModel(package(architecture="rfdetr"), detr([[np.nan] * 4] * 2, [[np.nan] * 2] * 2))
    (boxes,) = model.predict_batch([picture()], [PredictionOptions(confidence=0)]).predictions
    assert len(boxes) == 0
    assert found_by("yolov8", np.full((5, 12), np.nan, np.float32), confidence=0) == []


def test_removed_classes_do_not_suppress_those_that_are_told() -> None:
    output = yolov8_output([(32, 32, 16, 16, 0.9, 0), (32, 32, 16, 16, 0, 0.8)], classes=2)
    model = ObjectDetectionModel(package(removed_class_ids=(0,)), constant(output))
    options = PredictionOptions(class_agnostic_nms=True)
    assert model.predict_batch([picture()], [options]).predictions[0].class_names == ("plate",)


def test_what_is_assumed_of_a_package_that_says_little_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    steps = ImagePreprocessing(input_hw=(64, 64), padding_value=127, complete=False)
    with caplog.at_level(logging.INFO):
        ObjectDetectionModel(package(preprocessing=steps, architecture=None), constant(yolov8_output([])))
    assumed = caplog.records[-1]
    assert (assumed.architecture, assumed.resize_mode, assumed.padding_value) == ("yolov8", "letterbox", 127)
    assert assumed.input_hw == [64, 64]


@pytest.mark.parametrize(
    ("architecture", "output", "count"),
    [("yolov8", yolov8_output([], classes=3), "each of the 3 classes"), ("yolov10", rows(), "each class")],
)
def test_a_package_that_names_no_classes_is_refused_with_how_many_there_are(
    architecture: str, output: NDArray[np.float32], count: str
) -> None:
    with pytest.raises(ModelLoadError, match=rf"names no classes; write class_names\.txt .* one line for {count}"):
        ObjectDetectionModel(package(architecture=architecture, class_names=()), constant(output))


def test_the_background_of_a_detr_needs_no_name(caplog: pytest.LogCaptureFixture) -> None:
    engine = detr([[0.5, 0.5, 0.5, 0.5]], [[-9, -9]])
    with caplog.at_level(logging.WARNING):
        ObjectDetectionModel(package(architecture="rfdetr"), engine)
        assert caplog.records == []
        ObjectDetectionModel(package(architecture="rfdetr", class_names=("a", "b", "c")), engine)
    assert [record.class_names for record in caplog.records] == [3]


@pytest.mark.parametrize("architecture", ["yolov8", "yolov10", "yolo26"])
def test_more_boxes_than_there_is_time_for_are_left_out(architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_boxes, "MAX_BOXES", 1)
    chosen = rows([0, 0, 8, 8, 0.9, 0], [40, 40, 48, 48, 0.8, 0])
    output = yolov8_output([(4, 4, 8, 8, 0.9), (44, 44, 8, 8, 0.8)]) if architecture == "yolov8" else chosen
    assert found_by(architecture, output, max_detections=100_000) == [0.9]
