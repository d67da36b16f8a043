from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.models.classification import BLOCKS
from workflows.ports import PredictionOptions, StepRun
from workflows.serializers.serialize import serialize
from workflows.values.classification import Classification

PICTURE = image(numbered_pixels(20, 10))
STEP = {"name": "c", "image": "$inputs.image", "model_id": "kinds/2"}
FOUND = Classification(
    class_name=np.array(["car", "bus"]),
    class_id=np.array([1, 0]),
    confidence=np.array([0.7, 0.3]),
    top_class="car",
    top_confidence=0.7,
    image_wh=(20, 10),
    parent_id="image",
    root_parent_id="image",
    duration_s=0.5,
)


class Classifier:
    def __init__(self):
        self.asked = []

    async def classify(self, image, model_id, options):
        self.asked.append((model_id, options))
        return FOUND


async def answer(version, classifier=None, **parameters):
    ports = {"classifier": classifier or Classifier(), "step_run": StepRun(inference_id="call-1")}
    return await BLOCKS[version - 1].run(PICTURE, "kinds/2", **parameters, **ports)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_every_version_answers_what_it_declares(version):
    found = await answer(version)
    assert set(found) == set(BLOCKS[version - 1].outputs)
    assert found["inference_id"] == "call-1"


async def test_the_prediction_is_the_whole_answer_of_the_model():
    found = await answer(1, confidence=0.2)
    assert serialize(found["predictions"], BLOCKS[0].outputs["predictions"]) == {
        "inference_id": "call-1",
        "time": 0.5,
        "image": {"width": 20, "height": 10},
        "predictions": [
            {"class": "car", "class_id": 1, "confidence": 0.7},
            {"class": "bus", "class_id": 0, "confidence": 0.3},
        ],
        "top": "car",
        "confidence": 0.7,
        "prediction_type": "classification",
        "parent_id": "image",
        "root_parent_id": "image",
    }


@pytest.mark.parametrize(
    ("version", "parameters", "expected"),
    [
        (1, {"confidence": 0.2}, 0.2),
        (2, {"confidence": 0.2}, 0.2),
        (3, {"confidence_mode": "default", "custom_confidence": 0.7}, "default"),
        (3, {"confidence_mode": "custom", "custom_confidence": 0.7}, 0.7),
    ],
)
async def test_the_least_score_reaches_the_classifier(version, parameters, expected):
    classifier = Classifier()
    await answer(version, classifier, **parameters)
    assert classifier.asked == [("kinds/2", PredictionOptions(confidence=expected))]


def test_every_name_is_accepted_with_the_defaults_of_the_catalogue():
    for name in ("ClassificationModel", "RoboflowClassificationModel"):
        step = BLOCKS[0].manifest.model_validate({"type": name, **STEP})
        assert (step.confidence, step.disable_active_learning) == (0.4, True)
    assert BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP}).confidence_mode == "default"


@pytest.mark.parametrize("wrong", [{"confidence_mode": "best"}, {"custom_confidence": 2}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP, **wrong})
