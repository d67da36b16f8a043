from __future__ import annotations

import time

import numpy as np
import pytest

from tests.unit.workflows.builders import detections, image
from tests.unit.workflows.sample_blocks import no_ports
from workflows.compiler.compile import compile_definition
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.executor.cropped_pixels import CroppedPixels
from workflows.executor.dispatcher import Column, StageUnit
from workflows.executor.local_dispatcher import LocalDispatcher
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow
from workflows.executor.stage import cut_units, run_stage_here

PLAN = compile_definition(
    {
        "version": "1.0",
        "inputs": [
            {"type": "WorkflowImage", "name": "image"},
            {"type": "WorkflowBatchInput", "name": "boxes", "kind": ["object_detection_prediction"]},
        ],
        "steps": [
            {"type": "DynamicCrop", "name": "once", "images": "$inputs.image", "predictions": "$inputs.boxes"},
            {
                "type": "DynamicCrop",
                "name": "again",
                "images": "$steps.once.crops",
                "predictions": "$steps.once.predictions",
            },
        ],
        "outputs": [
            {"type": "JsonField", "name": "once", "selector": "$steps.once.crops"},
            {"type": "JsonField", "name": "again", "selector": "$steps.again.crops"},
        ],
    }
)
WHOLE = [0, 0, 20, 10]


def unit(most_px, boxes):
    picture = image(np.zeros((10, 20, 3), dtype=np.uint8))
    found = detections(*[WHOLE] * boxes, image_wh=(20, 10))
    values = {"$inputs": True, "$inputs.image": picture, "$inputs.boxes": found}
    columns = {name: Column(lineage=("$inputs",), values={(0,): value}) for name, value in values.items()}
    return StageUnit(columns=columns, max_cropped_pixels=most_px)


def test_the_crops_of_all_steps_of_a_unit_count_together():
    (stage,) = PLAN.stages
    assert len(run_stage_here(PLAN, stage, unit(800, 2))["$steps.again.crops"].values) == 2
    with pytest.raises(
        RuntimeLimitsCausedStepExecutionError,
        match=r"step 'again' the crops of this request have 800 pixels together; at most 799 are allowed",
    ) as refused:
        run_stage_here(PLAN, stage, unit(799, 2))
    assert refused.value.problems[0].step == "again"


@pytest.mark.parametrize(("most_px", "boxes"), [(None, 3), (0, 0)])
def test_without_a_limit_or_without_crops_nothing_is_refused(most_px, boxes):
    (stage,) = PLAN.stages
    assert len(run_stage_here(PLAN, stage, unit(most_px, boxes))["$steps.once.crops"].values) == boxes


def test_the_limit_travels_with_every_unit():
    (stage,) = PLAN.stages
    columns = {selector: Column(lineage=("$inputs",), values={(0,): 1, (1,): 2}) for selector in stage.needs}
    assert [each.max_cropped_pixels for each in cut_units(stage, columns, 2, None, max_cropped_pixels=9)] == [9, 9]


def sent(images):
    found = {
        "image": {"width": 20, "height": 10},
        "predictions": [{"x": 10, "y": 5, "width": 20, "height": 10, "confidence": 0.9, "class": "a", "class_id": 0}],
    }
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    return {"image": [image(pixels, f"image.{index}") for index in range(images)], "boxes": [found] * images}


def options(most_px):
    return RunOptions(deadline_unix_s=time.time() + 60, max_cropped_pixels=most_px)


async def answered(images, most_px):
    return await run_workflow(PLAN, sent(images), LocalDispatcher(no_ports), options(most_px))


async def test_the_crops_of_all_units_of_a_request_count_together():
    assert len(await answered(3, 1200)) == 3
    with pytest.raises(RuntimeLimitsCausedStepExecutionError, match="at most 1199 are allowed"):
        await answered(3, 1199)


def test_what_is_no_image_does_not_count():
    cutting = PLAN.steps["once"]
    crops = CroppedPixels(0)
    crops.add_result(cutting, [None, {"crops": None, "predictions": detections()}])
    crops.add_result(cutting, "no list of outputs")
