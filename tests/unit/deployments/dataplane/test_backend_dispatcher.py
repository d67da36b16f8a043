import uuid
from types import SimpleNamespace

import pytest
from numpy.testing import assert_array_equal

from deployments.dataplane.backend import Timing, Work
from deployments.dataplane.backend_dispatcher import BackendDispatcher, step_failure, to_detections
from deployments.errors import ModelTaskError, OverloadedError
from deployments.models.errors import InvalidModelIdError, UnknownModelError, UnsupportedModelError
from tests.unit.deployments.dataplane.images import black_image
from tests.unit.deployments.fake_backend import FakeBackend, found_boxes
from workflows.errors import ClientCausedStepExecutionError
from workflows.ports import PredictionOptions

STEP = SimpleNamespace(name="detector")


def ports(backend):
    return BackendDispatcher(backend, Work(request_id="x", deadline_unix_s=0)).ports(STEP)


async def test_detections_know_their_image_and_have_identities_of_their_own():
    image = black_image(20, 10, image_id="image.[0]")
    backend = FakeBackend(found_boxes((1, 2, 3, 4), (5, 6, 7, 8)))
    found = await ports(backend).object_detector.detect(image, "plates/1", PredictionOptions())
    assert_array_equal(found.xyxy, [[1, 2, 3, 4], [5, 6, 7, 8]])
    assert found.class_name.tolist() == ["plate", "plate"]
    assert found.parent_id.tolist() == ["image.[0]", "image.[0]"]
    assert len({str(uuid.UUID(each)) for each in found.detection_id}) == 2
    assert found.image_wh == (20, 10)
    assert found.placement is image.placement


async def test_masks_and_key_points_come_with_their_detections():
    backend = FakeBackend()
    image = black_image()
    segmented = await ports(backend).instance_segmenter.detect(image, "cars/1", PredictionOptions())
    assert segmented.masks is backend.said["cars/1"].masks
    assert segmented.prediction_type == "instance-segmentation"
    pointed = await ports(backend).keypoint_detector.detect(image, "people/1", PredictionOptions())
    assert pointed.keypoints is backend.said["people/1"].keypoints
    assert pointed.prediction_type == "keypoint-detection"


@pytest.mark.parametrize(("port", "model_id"), [("classifier", "kinds/1"), ("multi_label_classifier", "tags/1")])
async def test_classes_know_their_image_and_how_long_they_took(port, model_id):
    image = black_image(20, 10, image_id="image.[0]")
    found = await getattr(ports(FakeBackend()), port).classify(image, model_id, PredictionOptions())
    assert found.class_name.tolist()[:2] == ["car", "bus"]
    assert (found.image_wh, found.parent_id, found.root_parent_id) == ((20, 10), "image.[0]", "image.[0]")
    assert found.duration_s >= 0
    assert found.multi_label is (port == "multi_label_classifier")


@pytest.mark.parametrize(
    ("port", "method", "model_id"),
    [
        ("object_detector", "detect", "cars/1"),
        ("instance_segmenter", "detect", "plates/1"),
        ("keypoint_detector", "detect", "cars/1"),
        ("classifier", "classify", "tags/1"),
        ("multi_label_classifier", "classify", "kinds/1"),
    ],
)
async def test_a_step_is_told_when_its_model_is_for_something_else(port, method, model_id):
    with pytest.raises(ClientCausedStepExecutionError, match=f"'{model_id}' is for") as caught:
        await getattr(getattr(ports(FakeBackend()), port), method)(black_image(), model_id, PredictionOptions())
    assert caught.value.status == 400


def test_no_boxes_are_no_detections_on_an_image_of_known_size():
    found = to_detections(found_boxes(), black_image())
    assert len(found) == 0
    assert found.image_wh == (10, 5)


def test_every_run_of_a_step_has_its_own_inference_id():
    dispatcher = BackendDispatcher(FakeBackend(), Work(request_id="x", deadline_unix_s=0))
    first, second = dispatcher.ports(STEP).step_run, dispatcher.ports(STEP).step_run
    assert first.inference_id != second.inference_id


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownModelError("m", "a/1"), 404),
        (ModelTaskError("m"), 400),
        (InvalidModelIdError("m", "a/1"), 400),
        (UnsupportedModelError("m", "a/1"), 501),
    ],
)
def test_a_failure_the_client_can_mend_names_the_step_and_keeps_its_status(error, status):
    failure = step_failure(error, "detector")
    assert isinstance(failure, ClientCausedStepExecutionError)
    assert failure.status == status
    assert failure.inner_type == type(error).__name__
    assert [problem.step for problem in failure.problems] == ["detector"]


def test_other_failures_of_the_serving_stay_what_they_are():
    error = OverloadedError("m")
    assert step_failure(error, "detector") is error


async def test_a_step_that_asks_for_an_unknown_model_is_told_so():
    with pytest.raises(ClientCausedStepExecutionError):
        await ports(FakeBackend()).object_detector.detect(black_image(), "nope/1", PredictionOptions())


async def test_text_is_read_with_the_reader_of_the_blocks():
    backend = FakeBackend(text="AB 12")
    work = Work(request_id="x", deadline_unix_s=0)
    text = await BackendDispatcher(backend, work).ports(STEP).text_reader.read(black_image())
    assert text.text == "AB 12"
    assert work.model_ids == {"doctr/default"}


def test_a_step_that_ran_here_neither_waited_nor_travelled():
    work = Work(request_id="x", deadline_unix_s=0)
    BackendDispatcher(FakeBackend(), work).step_done(STEP, 1.5)
    assert work.timings == [Timing(step="detector", queue_ms=0.0, transfer_ms=0.0, compute_ms=1.5)]


async def test_text_is_read_by_the_model_that_the_step_names_or_else_by_the_one_that_is_set_up():
    work = Work(request_id="x", deadline_unix_s=0)
    reader = BackendDispatcher(FakeBackend(), work, "pp_ocr/small-small").ports(STEP).text_reader
    await reader.read(black_image())
    await reader.read(black_image(), "doctr/default")
    assert work.model_ids == {"pp_ocr/small-small", "doctr/default"}
    with pytest.raises(ClientCausedStepExecutionError):
        await reader.read(black_image(), "pp_ocr/tiny-tiny")
