import time
import traceback
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from deployments.dataplane.compute import (
    as_image_model,
    as_text_reader,
    predict_images,
    read_images,
    run_stage_units,
)
from deployments.dataplane.image_question import ImageQuestion
from deployments.errors import ModelTaskError
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.errors import ModelError, ModelUnavailableError
from deployments.models.page_reading.page import page_of_line
from deployments.models.page_reading.page_reader import NO_TIME
from deployments.models.page_reading.text_reader import ReadBatch, TextReader
from deployments.models.recognition.recognized_line import RecognizedLine
from deployments.models.tasks import CLASSIFICATION, DETECTION
from tests.unit.deployments.dataplane.images import black_image, lying_image, torn_image
from workflows.compiler.compile import compile_definition
from workflows.errors import DeadlineExceededError, ImageDecodeError, WorkflowError
from workflows.executor.dispatcher import Column, StageUnit
from workflows.ports import PredictionOptions
from workflows.values import time_left
from workflows.values.codec_counts import CODEC_COUNTS
from workflows.values.image import Image

PACKAGE = SimpleNamespace(model_id="plates/1", task_type="object-detection")


class WidthDetector:
    """Finds one box as wide as the picture; cannot bear pictures of 13 columns."""

    package = PACKAGE
    batch_size = None
    input_hw = (64, 64)

    def __init__(self):
        self.batches = []

    def needed_wh(self, image_wh, options):
        return image_wh

    def predict_batch(self, images_bgr, options, image_whs=None):
        self.batches.append(len(images_bgr))
        if any(image.shape[1] == 13 for image in images_bgr):
            raise RuntimeError("secret of the runtime")
        boxes = [
            ScoredBoxes(
                xyxy=np.array([[0, 0, image.shape[1], 1]], dtype=np.float32),
                confidence=np.ones(1, dtype=np.float32),
                class_id=np.zeros(1, dtype=np.int64),
                class_names=("plate",),
            )
            for image in images_bgr
        ]
        return SimpleNamespace(predictions=boxes)


class HalfWidthDetector(WidthDetector):
    """The same; half of the picture's size is enough for it."""

    def needed_wh(self, image_wh, options):
        return image_wh[0] // 2, image_wh[1] // 2


class WidthReader(TextReader):
    """Reads the width of the picture."""

    package = SimpleNamespace(model_id="doctr/default", task_type="text-recognition")

    def read_batch(self, images_bgr):
        lines = [
            RecognizedLine(text=str(image.shape[1]), confidence=0.5, xyxy=(0, 0, image.shape[1], image.shape[0]))
            for image in images_bgr
        ]
        return ReadBatch(pages=[page_of_line(line) for line in lines], timing=NO_TIME)


def as_jpeg(image):
    return Image(placement=image.placement, video=image.video, wh=image.wh, encoded=image.encoded)


def asked(*images, tasks=DETECTION):
    return [ImageQuestion(image=image, tasks=tasks, options=PredictionOptions()) for image in images]


def test_a_batch_is_one_call_and_the_answers_keep_their_order():
    model = WidthDetector()
    found = predict_images(model, asked(black_image(10), black_image(20)))
    assert model.batches == [2]
    assert [boxes.xyxy[0, 2] for boxes in found] == [10, 20]


def test_a_model_sees_pictures_upright_as_their_exif_data_say():
    (found,) = predict_images(WidthDetector(), asked(lying_image(width=20, height=10)))
    assert found.xyxy.tolist() == [[0, 0, 10, 1]]


def test_an_image_is_decoded_no_larger_than_the_model_needs_it():
    (found,) = predict_images(HalfWidthDetector(), asked(as_jpeg(black_image(40, 20))))
    assert found.xyxy[0, 2] == 20


def test_a_model_is_told_how_large_pictures_are_whatever_it_gets():
    class Told(HalfWidthDetector):
        def predict_batch(self, images_bgr, options, image_whs=None):
            self.told = image_whs
            return super().predict_batch(images_bgr, options)

    model = Told()
    predict_images(model, asked(as_jpeg(black_image(40, 20)), black_image(10)))
    assert model.told == [(40, 20), (10, 5)]


def test_an_empty_batch_asks_nothing_of_the_model():
    model = WidthDetector()
    assert predict_images(model, []) == []
    assert model.batches == []


def test_an_image_that_cannot_be_decoded_fails_alone():
    model = WidthDetector()
    first, second, third = predict_images(model, asked(black_image(10), torn_image(), black_image(30)))
    assert isinstance(second, ImageDecodeError)
    assert (first.xyxy[0, 2], third.xyxy[0, 2]) == (10, 30)
    assert model.batches == [2]


def test_an_image_that_spoils_its_batch_fails_alone_and_the_others_are_done_one_by_one():
    model = WidthDetector()
    first, second, third = predict_images(model, asked(black_image(10), black_image(13), black_image(30)))
    assert isinstance(second, ModelError)
    assert (first.xyxy[0, 2], third.xyxy[0, 2]) == (10, 30)
    assert model.batches == [3, 1, 1, 1]


@pytest.mark.parametrize(
    "failure", [ModelUnavailableError("away", "plates/1"), DeadlineExceededError("the time was over")]
)
def test_what_is_no_items_fault_is_the_answer_to_all_and_not_tried_again(failure):
    asked_for = []

    class Away(WidthDetector):
        def predict_batch(self, images_bgr, options, image_whs=None):
            asked_for.append(len(images_bgr))
            raise failure

    assert predict_images(Away(), asked(black_image(10), black_image(20))) == [failure, failure]
    assert asked_for == [2]


def test_a_question_that_the_model_does_not_answer_fails_alone():
    model = WidthDetector()
    first, second = predict_images(model, asked(black_image(10)) + asked(black_image(20), tasks=CLASSIFICATION))
    assert first.xyxy[0, 2] == 10
    assert isinstance(second, ModelTaskError)
    assert "'plates/1' is for object-detection, not for classification or multi-label" in second.message
    assert model.batches == [1]


def test_what_a_runtime_says_does_not_reach_the_client():
    (failure,) = predict_images(WidthDetector(), asked(black_image(13)))
    assert "secret" not in str(failure)
    assert "plates/1" in str(failure)


CROPS = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [
        {"type": "roboflow_core/convert_grayscale@v1", "name": "grey", "image": "$inputs.image"},
        {
            "type": "RelativeStaticCrop",
            "name": "middle",
            "images": "$steps.grey.image",
            "x_center": 0.5,
            "y_center": 0.5,
            "width": 0.5,
            "height": 0.5,
        },
    ],
    "outputs": [{"type": "JsonField", "name": "middle", "selector": "$steps.middle.crops"}],
}


def crops_of(*images, excluded=(), **options):
    plan = compile_definition(CROPS)
    (stage,) = plan.stages
    units = [StageUnit(columns={"$inputs.image": Column(lineage=("$inputs",), values={(0,): i})}) for i in images]
    units = [
        replace(
            unit,
            columns=unit.columns | {"$inputs": unit.columns["$inputs.image"]},
            excluded_fields=frozenset(excluded),
        )
        for unit in units
    ]
    return run_stage_units(plan, stage, units, **options)


def test_a_unit_of_a_stage_comes_with_what_each_step_took():
    (done,) = crops_of(black_image(20, 10))
    assert done.columns["$steps.middle.crops"].values[(0,)].wh == (10, 5)
    assert list(done.step_ms) == ["grey", "middle"]
    assert min(done.step_ms.values()) > 0


def test_a_unit_that_fails_leaves_the_others_alone():
    failed, done = crops_of(torn_image(), black_image(20, 10))
    assert isinstance(failed, WorkflowError)
    assert list(done.step_ms) == ["grey", "middle"]


def test_images_that_are_answered_are_encoded_by_whoever_made_them():
    (stays,), (travels,) = crops_of(black_image()), crops_of(black_image(), to_travel=True)
    assert stays.columns["$steps.middle.crops"].values[(0,)]._encoded is None
    assert travels.columns["$steps.middle.crops"].values[(0,)]._encoded is not None


def test_images_that_the_answer_leaves_out_are_not_encoded():
    (done,) = crops_of(black_image(), excluded=["middle"], to_travel=True)
    assert done.columns["$steps.middle.crops"].values[(0,)]._encoded is None


def test_pixels_that_do_not_travel_are_let_go_of_with_each_unit():
    first, second = as_jpeg(black_image(3200, 1600)), as_jpeg(black_image(3200, 1600))
    for done in crops_of(first, second, excluded=["middle"], to_travel=True):
        crop = done.columns["$steps.middle.crops"].values[(0,)]
        assert crop._pixels is None
        assert crop.wh == (1600, 800)
    assert (first._pixels, second._pixels) == (None, None)


def test_an_image_that_several_units_share_is_decoded_once():
    shared, before = as_jpeg(black_image(3200, 1600)), CODEC_COUNTS.decodes
    crops_of(shared, shared, excluded=["middle"], to_travel=True)
    assert CODEC_COUNTS.decodes == before + 1
    assert shared._pixels is None


def test_where_the_answer_stays_its_pixels_stay():
    (done,) = crops_of(as_jpeg(black_image(1600, 1600)))
    crop = done.columns["$steps.middle.crops"].values[(0,)]
    assert crop._pixels is not None
    assert crop._encoded is None


def test_a_unit_that_fails_keeps_no_pixels_either():
    failed, _ = crops_of(torn_image(), black_image(20, 10))
    frames, error = [], failed
    while error is not None:
        frames += [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        error = error.__cause__
    names = {frame.f_code.co_name for frame in frames if not frame.f_locals}
    assert {"run_stage_here", "run_calls"} <= names


def test_units_whose_time_is_over_are_not_begun_and_the_others_are_done():
    now_s = time.time()
    over, done = crops_of(black_image(20, 10), black_image(20, 10), deadlines_unix_s=[now_s - 1, now_s + 60])
    assert isinstance(over, DeadlineExceededError)
    assert list(done.step_ms) == ["grey", "middle"]


def test_a_unit_is_not_gone_on_with_when_its_time_is_over_between_two_steps(monkeypatch):
    ticks = iter(range(100))
    monkeypatch.setattr(time_left, "time", SimpleNamespace(time=lambda: float(next(ticks))))
    (over,) = crops_of(black_image(20, 10), deadlines_unix_s=[2.0])  # looked at before the step, before its call
    assert isinstance(over, DeadlineExceededError)
    assert next(ticks) == 3


def test_a_call_without_units_is_answered_with_nothing():
    assert crops_of() == []


def test_text_is_read_and_torn_images_fail_alone():
    first, second = read_images(WidthReader(), [torn_image(), black_image(20)])
    assert isinstance(first, ImageDecodeError)
    assert second.text == "20"


@pytest.mark.parametrize("check", [as_image_model, as_text_reader])
def test_a_model_for_something_else_is_refused_by_name(check):
    with pytest.raises(ModelTaskError, match="plates/1"):
        check(SimpleNamespace(package=PACKAGE))
