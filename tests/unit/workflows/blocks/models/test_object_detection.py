from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.blocks.models.object_detection import BLOCKS, ObjectDetectionModel
from workflows.ports import PredictionOptions, StepRun
from workflows.values.detections import Detections

PICTURE = image(numbered_pixels(200, 100))
FOUND = detections([1, 2, 3, 4], [5, 6, 7, 8], class_name=np.array(["plate", "car"]))
STEP_RUN = StepRun(inference_id="call-1")


@dataclass
class Detector:
    found: Detections = FOUND
    asked: list[tuple[str, PredictionOptions]] = field(default_factory=list)

    async def detect(self, image, model_id, options):
        self.asked.append((model_id, options))
        return self.found


async def answer(version=1, detector=None, **parameters):
    given = {"class_filter": None, "iou_threshold": 0.3, "max_detections": 300, "class_agnostic_nms": False}
    ports = {"object_detector": detector or Detector(), "step_run": STEP_RUN}
    return await BLOCKS[version - 1].run(PICTURE, "plates/2", **{**given, **parameters}, **ports)


async def test_the_detections_are_those_of_the_detector_and_the_identity_that_of_the_call():
    found = await answer(confidence=0.4)
    assert found["inference_id"] == "call-1"
    assert found["predictions"] is FOUND


async def test_the_size_of_the_image_is_an_output():
    assert (await answer(confidence=0.4))["image"] == {"width": 200, "height": 100}


async def test_parameters_reach_the_detector():
    detector = Detector()
    await answer(
        detector=detector,
        confidence=0.25,
        class_filter=["plate"],
        iou_threshold=0.5,
        max_detections=7,
        class_agnostic_nms=True,
    )
    expected = PredictionOptions(
        confidence=0.25, iou_threshold=0.5, max_detections=7, class_agnostic_nms=True, class_filter=("plate",)
    )
    assert detector.asked == [("plates/2", expected)]


@pytest.mark.parametrize("class_filter", [None, []])
async def test_a_filter_without_classes_keeps_all(class_filter):
    detector = Detector()
    found = await answer(detector=detector, confidence=0.4, class_filter=class_filter)
    assert len(found["predictions"]) == 2
    assert detector.asked[0][1].class_filter is None


async def test_an_image_without_objects_keeps_its_size():
    found = await answer(detector=Detector(detections()), confidence=0.4, class_filter=["car"])
    assert len(found["predictions"]) == 0
    assert found["predictions"].image_wh == (320, 240)


async def test_null_for_class_agnostic_suppression_is_no():
    detector = Detector()
    await answer(detector=detector, confidence=0.4, class_agnostic_nms=None)
    assert detector.asked[0][1].class_agnostic_nms is False


async def test_the_second_version_names_the_model():
    assert (await answer(2, confidence=0.4))["model_id"] == "plates/2"


@pytest.mark.parametrize(
    ("mode", "custom", "expected"),
    [("best", 0.9, "best"), ("default", 0.9, "default"), ("custom", 0.9, 0.9), ("custom", None, 0.4)],
)
async def test_the_third_version_takes_the_least_score_from_the_model_or_the_user(mode, custom, expected):
    detector = Detector()
    found = await answer(3, detector, confidence_mode=mode, custom_confidence=custom)
    assert detector.asked[0][1].confidence == expected
    assert found["model_id"] == "plates/2"


async def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="best, default and custom"):
        await answer(3, confidence_mode="loose", custom_confidence=None)


def test_old_names_are_accepted():
    for name in ("ObjectDetectionModel", "RoboflowObjectDetectionModel"):
        step = ObjectDetectionModel.model_validate(
            {"type": name, "name": "d", "image": "$inputs.image", "model_id": "plates/2"}
        )
        assert (step.images, step.confidence, step.max_detections) == ("$inputs.image", 0.4, 300)


@pytest.mark.parametrize(
    "wrong", [{"confidence": 1.5}, {"iou_threshold": -0.1}, {"max_detections": 0}, {"image": "not a selector"}]
)
def test_parameters_out_of_range_are_refused(wrong):
    step = {"type": "ObjectDetectionModel", "name": "d", "image": "$inputs.image", "model_id": "plates/2", **wrong}
    with pytest.raises(ValidationError):
        ObjectDetectionModel.model_validate(step)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_every_version_answers_what_it_declares(version):
    assert set(await answer(version)) == set(BLOCKS[version - 1].outputs)
    assert ("model_id" in BLOCKS[version - 1].outputs) is (version > 1)


async def test_a_limit_below_one_box_is_refused():
    with pytest.raises(ValueError, match="max_detections is -1"):
        await answer(confidence=0.4, max_detections=-1)
