from __future__ import annotations

import numpy as np
import pytest

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.models.multi_label_classification import BLOCKS
from workflows.ports import PredictionOptions, StepRun
from workflows.serializers.serialize import serialize
from workflows.values.classification import Classification

PICTURE = image(numbered_pixels(20, 10))
STEP = {"name": "c", "image": "$inputs.image", "model_id": "tags/2"}
FOUND = Classification(
    class_name=np.array(["wet", "dark"]),
    class_id=np.array([0, 1]),
    confidence=np.array([0.25, 0.75]),
    predicted_classes=("dark",),
    image_wh=(20, 10),
)


class Classifier:
    def __init__(self):
        self.asked = []

    async def classify(self, image, model_id, options):
        self.asked.append((model_id, options))
        return FOUND


async def answer(version, classifier=None, **parameters):
    ports = {"multi_label_classifier": classifier or Classifier(), "step_run": StepRun(inference_id="call-1")}
    return await BLOCKS[version - 1].run(PICTURE, "tags/2", **parameters, **ports)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_every_version_answers_what_it_declares(version):
    assert set(await answer(version)) == set(BLOCKS[version - 1].outputs)


async def test_every_class_stands_in_the_answer_and_those_that_apply_are_named():
    found = await answer(2)
    written = serialize(found["predictions"], BLOCKS[1].outputs["predictions"])
    assert written["predictions"] == {
        "wet": {"confidence": 0.25, "class_id": 0},
        "dark": {"confidence": 0.75, "class_id": 1},
    }
    assert written["predicted_classes"] == ["dark"]
    assert written["inference_id"] == "call-1"


@pytest.mark.parametrize(("mode", "expected"), [("best", "best"), ("default", "default"), ("custom", 0.7)])
async def test_the_third_version_takes_the_least_score_from_the_model_or_the_user(mode, expected):
    classifier = Classifier()
    await answer(3, classifier, confidence_mode=mode, custom_confidence=0.7)
    assert classifier.asked == [("tags/2", PredictionOptions(confidence=expected))]


def test_every_name_is_accepted_with_the_defaults_of_the_catalogue():
    for name in ("MultiLabelClassificationModel", "RoboflowMultiLabelClassificationModel"):
        assert BLOCKS[0].manifest.model_validate({"type": name, **STEP}).confidence == 0.4
    assert BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP}).confidence_mode == "best"
