"""Workflows through the vendor's client: inline and saved, one image and many, every kind of image it takes."""

from __future__ import annotations

import pytest

MODEL = "vehicle-registration-plates-trudk/2"


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_tutorial_runs_verbatim_and_reads_the_plate(sdk, tutorial, photo, plate_text):
    (answer,) = sdk("infer_from_workflow", specification=tutorial, images={"image": photo})

    assert [squeezed(text) for text in answer["recognised_plates"]] == [squeezed(plate_text)]
    assert answer["image"] == answer["predictions"]["image"]
    assert len(answer["crops"]) == len(answer["predictions"]["predictions"]) == 1


@pytest.mark.parametrize("form", ["path", "ndarray", "pil"])
def test_every_form_of_image_is_read(sdk, tutorial, photo, plate_text, form):
    (answer,) = sdk("run_workflow", specification=tutorial, images={"image": photo | {"as": form}})

    assert squeezed(answer["recognised_plates"][0]) == squeezed(plate_text)


def test_a_saved_workflow_answers_as_the_inline_one(sdk, tutorial, photo):
    inline = sdk("run_workflow", specification=tutorial, images={"image": photo})
    saved = sdk("run_workflow", workspace_name="local", workflow_id="read-plates", images={"image": photo})
    older = sdk("infer_from_workflow", workspace_name="local", workflow_name="read-plates", images={"image": photo})

    texts = [answer[0]["recognised_plates"] for answer in (inline, saved, older)]
    assert texts[0] == texts[1] == texts[2]


def test_a_batch_is_answered_in_its_order(sdk, tutorial, photo):
    answers = sdk("run_workflow", specification=tutorial, images={"image": [photo, photo | {"as": "ndarray"}]})

    assert len(answers) == 2
    parents = [answer["predictions"]["predictions"][0]["parent_id"] for answer in answers]
    assert parents == ["image.[0]", "image.[1]"]


def test_crops_are_decoded_where_the_client_asks_for_arrays(sdk, tutorial, photo):
    configuration = {"output_visualisation_format": "NUMPY"}
    (answer,) = sdk("run_workflow", specification=tutorial, images={"image": photo}, configuration=configuration)

    height, width, channels = answer["crops"][0]["$ndarray"]
    box = answer["predictions"]["predictions"][0]
    assert channels == 3
    assert width > box["width"]
    assert height > box["height"]


def test_excluded_fields_are_left_out(sdk, tutorial, photo):
    answers = sdk("run_workflow", specification=tutorial, images={"image": photo}, excluded_fields=["crops", "image"])

    assert set(answers[0]) == {"predictions", "recognised_plates"}


def test_parameters_reach_the_steps(sdk, photo):
    specification = {
        "version": "1.0",
        "inputs": [
            {"type": "WorkflowImage", "name": "image"},
            {"type": "WorkflowParameter", "name": "confidence", "kind": ["float_zero_to_one"], "default_value": 0.4},
        ],
        "steps": [
            {
                "type": "roboflow_core/roboflow_object_detection_model@v1",
                "name": "detect",
                "images": "$inputs.image",
                "model_id": MODEL,
                "confidence": "$inputs.confidence",
            }
        ],
        "outputs": [{"type": "JsonField", "name": "found", "selector": "$steps.detect.predictions"}],
    }

    seen = sdk("run_workflow", specification=specification, images={"image": photo})
    sure = sdk("run_workflow", specification=specification, images={"image": photo}, parameters={"confidence": 1.0})

    assert len(seen[0]["found"]["predictions"]) == 1
    assert sure[0]["found"]["predictions"] == []


def test_profiling_is_answered_with_an_empty_trace(sdk, tutorial, photo):
    answers = sdk("run_workflow", specification=tutorial, images={"image": photo}, enable_profiling=True)

    assert len(answers) == 1
