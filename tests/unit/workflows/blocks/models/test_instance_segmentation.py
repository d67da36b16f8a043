from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.unit.workflows.builders import detections, image, numbered_pixels
from workflows.blocks.models.instance_segmentation import BLOCKS
from workflows.kinds import Kind
from workflows.ports import PredictionOptions, StepRun
from workflows.serializers.serialize import serialize

PICTURE = image(numbered_pixels(20, 10))
STEP_RUN = StepRun(inference_id="call-1")
STEP = {"name": "s", "image": "$inputs.image", "model_id": "cars/2"}


class Segmenter:
    def __init__(self, found):
        self.found = found
        self.asked = []

    async def detect(self, image, model_id, options):
        self.asked.append((model_id, options))
        return self.found


def one_square():
    mask = np.zeros((1, 10, 20), dtype=np.bool_)
    mask[0, 2:5, 3:7] = True
    return Segmenter(detections([3, 2, 7, 5], masks=mask, image_wh=(20, 10)))


async def answer(version, segmenter=None, **parameters):
    given = {
        "class_filter": None,
        "iou_threshold": 0.3,
        "max_detections": 300,
        "class_agnostic_nms": None,
        "mask_decode_mode": "accurate",
        "tradeoff_factor": 0.0,
    }
    ports = {"instance_segmenter": segmenter or one_square(), "step_run": STEP_RUN}
    return await BLOCKS[version - 1].run(PICTURE, "cars/2", **given | parameters, **ports)


async def test_parameters_reach_the_segmenter():
    segmenter = one_square()
    await answer(1, segmenter, confidence=0.2, class_filter=["car"], mask_decode_mode="tradeoff", tradeoff_factor=0.5)
    expected = PredictionOptions(
        confidence=0.2, class_filter=("car",), mask_decode_mode="tradeoff", tradeoff_factor=0.5
    )
    assert segmenter.asked == [("cars/2", expected)]


@pytest.mark.parametrize("version", [1, 2, 3, 4])
async def test_every_version_answers_what_it_declares(version):
    found = await answer(version)
    assert set(found) == set(BLOCKS[version - 1].outputs)
    assert found["inference_id"] == "call-1"
    assert found.get("model_id", "cars/2") == "cars/2"


@pytest.mark.parametrize(("version", "key"), [(1, "points"), (2, "points"), (3, "points"), (4, "rle_mask")])
async def test_the_fourth_version_answers_run_lengths_and_the_others_outlines(version, key):
    found = await answer(version)
    written = serialize(found["predictions"], BLOCKS[version - 1].outputs["predictions"])
    assert {"points", "rle_mask"} & set(written["predictions"][0]) == {key}


async def test_no_objects_are_no_predictions():
    found = await answer(4, Segmenter(detections(masks=np.zeros((0, 10, 20), dtype=np.bool_), image_wh=(20, 10))))
    written = serialize(found["predictions"], BLOCKS[3].outputs["predictions"])
    assert written == {"image": {"width": 20, "height": 10}, "predictions": []}


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(("mode", "expected"), [("best", "best"), ("default", "default"), ("custom", 0.7)])
async def test_later_versions_take_the_least_score_from_the_model_or_the_user(version, mode, expected):
    segmenter = one_square()
    await answer(version, segmenter, confidence_mode=mode, custom_confidence=0.7)
    assert segmenter.asked[0][1].confidence == expected


def test_every_name_is_accepted_with_the_defaults_of_the_catalogue():
    for name in ("InstanceSegmentationModel", "RoboflowInstanceSegmentationModel"):
        step = BLOCKS[0].manifest.model_validate({"type": name, **STEP})
        assert (step.confidence, step.mask_decode_mode, step.tradeoff_factor) == (0.4, "accurate", 0.0)
        assert step.enforce_dense_masks_in_inference_models is True
    assert BLOCKS[2].manifest.model_validate({"type": BLOCKS[2].type, **STEP}).confidence_mode == "best"
    assert "enforce_dense_masks_in_inference_models" not in BLOCKS[3].manifest.model_fields


@pytest.mark.parametrize("wrong", [{"mask_decode_mode": "slow"}, {"tradeoff_factor": 1.5}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        BLOCKS[0].manifest.model_validate({"type": BLOCKS[0].type, **STEP, **wrong})


def test_masks_of_the_fourth_version_go_where_instance_segmentation_goes():
    assert BLOCKS[3].outputs["predictions"] == (
        Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION,
        Kind.INSTANCE_SEGMENTATION_PREDICTION,
    )


async def test_a_limit_below_one_box_is_refused():
    with pytest.raises(ValueError, match="max_detections is -1"):
        await answer(1, confidence=0.4, max_detections=-1)
