from __future__ import annotations

from typing import Any

import pytest

from deployments.capacity.model_steps import ModelStep, Multiplicity, model_steps, transform_items
from deployments.errors import InvalidRequestError
from tests.unit.deployments.capacity.builders import TUTORIAL, asking, with_steps
from workflows.compiler.compile import compile_definition


def steps_of(document: dict[str, Any], parameters: dict[str, str] | None = None, **counts: Any) -> list[ModelStep]:
    multiplicity = Multiplicity(**{"crops_by_step": {}, **counts})
    return list(
        model_steps(
            compile_definition(document), multiplicity, text_reader_id="doctr/default", parameters=parameters or {}
        )
    )


def test_models_are_asked_as_often_as_there_are_images_and_crops() -> None:
    assert steps_of(TUTORIAL, images=2, crops=3) == [
        ModelStep(step="detect", model_id="plates/2", items=2),
        ModelStep(step="read", model_id="doctr/default", items=6),
    ]


def test_crops_may_be_said_of_one_step() -> None:
    assert [step.items for step in steps_of(TUTORIAL, crops=9, crops_by_step={"crop": 2.5})] == [1, 2.5]


def test_a_workflow_without_models_asks_none() -> None:
    nothing = {"version": "1.0", "inputs": [{"type": "InferenceImage", "name": "image"}], "steps": [], "outputs": []}
    assert steps_of(nothing) == []


def test_crops_of_a_step_that_makes_none_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="--crops detect: no step of this name makes several"):
        steps_of(TUTORIAL, crops_by_step={"detect": 2})


def test_a_model_that_is_a_parameter_is_its_value_or_its_default() -> None:
    said = steps_of(with_steps(asking("$inputs.model")), {"model": "boats/3"})
    assert {step.step: step.model_id for step in said}["also"] == "boats/3"
    defaulted = steps_of(with_steps(asking("$inputs.other")))
    assert {step.step: step.model_id for step in defaulted}["also"] == "cars/1"


def test_a_model_that_only_requests_know_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidRequestError, match=r"step 'also' .* say it with --parameter model=project/version"):
        steps_of(with_steps(asking("$inputs.model")))


def test_sizes_of_pp_ocr_name_its_model() -> None:
    step = {"type": "roboflow_core/pp_ocr@v1", "name": "also", "images": "$inputs.image", "text_detection": "tiny"}
    assert "pp_ocr/tiny-small" in [found.model_id for found in steps_of(with_steps(step))]


def test_pixel_work_travels_once_for_each_image() -> None:
    plan = compile_definition(TUTORIAL)
    assert transform_items(plan, Multiplicity(images=3, crops_by_step={})) == 3
