from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.blocks.models.keypoint_detection import BLOCKS
from workflows.ports import PredictionOptions, StepRun
from workflows.serializers.serialize import serialize
from workflows.values.detections import KeyPoints

PICTURE = image(numbered_pixels(20, 10))
STEP_RUN = StepRun(inference_id="call-1")
STEP = {"name": "k", "image": "$inputs.image", "model_id": "people/2"}
POINTS = KeyPoints(
    xy=np.array([[[4.0, 3.0], [np.nan, np.nan]]]),
    confidence=np.array([[0.5, 0.0]]),
    class_id=np.array([[0, 1]]),
    class_name=np.array([["nose", "tail"]]),
)


class Detector:
    def __init__(self):
        self.asked = []

    async def detect(self, image, model_id, options):
        self.asked.append((model_id, options))
        return detections([3, 2, 7, 5], keypoints=POINTS, image_wh=(20, 10))


async def answer(version, detector=None, **parameters):
    given = {
        "class_filter": None,
        "iou_threshold": 0.3,
        "max_detections": 300,
        "class_agnostic_nms": None,
        "keypoint_confidence": 0.0,
    }
    ports = {"keypoint_detector": detector or Detector(), "step_run": STEP_RUN}
    return await BLOCKS[version - 1].run(PICTURE, "people/2", **given | parameters, **ports)


async def test_parameters_reach_the_detector():
    detector = Detector()
    await answer(2, detector, confidence=0.2, keypoint_confidence=0.6)
    assert detector.asked == [("people/2", PredictionOptions(confidence=0.2, keypoint_confidence=0.6))]


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_every_version_answers_what_it_declares(version):
    found = await answer(version)
    assert set(found) == set(BLOCKS[version - 1].outputs)
    assert found["inference_id"] == "call-1"


async def test_key_points_that_an_object_lacks_are_not_written():
    found = await answer(1)
    (written,) = serialize(found["predictions"], BLOCKS[0].outputs["predictions"])["predictions"]
    assert written["keypoints"] == [{"class_id": 0, "class": "nose", "confidence": 0.5, "x": 4.0, "y": 3.0}]


@pytest.mark.parametrize(("mode", "expected"), [("default", "default"), ("custom", 0.7)])
async def test_the_third_version_takes_the_least_score_from_the_model_or_the_user(mode, expected):
    detector = Detector()
    await answer(3, detector, confidence_mode=mode, custom_confidence=0.7)
    assert detector.asked[0][1].confidence == expected


def test_every_name_is_accepted_with_the_defaults_of_the_catalogue():
    for name in ("KeypointsDetectionModel", "RoboflowKeypointDetectionModel"):
        step = BLOCKS[0].manifest.model_validate({"type": name, **STEP})
        assert (step.confidence, step.keypoint_confidence, step.max_candidates) == (0.4, 0.0, 3000)
    assert BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP}).confidence_mode == "default"


@pytest.mark.parametrize("wrong", [{"confidence_mode": "best"}, {"keypoint_confidence": 2}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP, **wrong})


async def test_a_limit_below_one_box_is_refused():
    with pytest.raises(ValueError, match="max_detections is -1"):
        await answer(1, confidence=0.4, max_detections=-1)
