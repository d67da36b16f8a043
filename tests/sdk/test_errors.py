"""What a user of the vendor's client sees of a bad request: the status, and a message that says what would be right."""

from __future__ import annotations

import copy

import pytest

from tests.sdk.sdk_error import SdkError

MODEL = "vehicle-registration-plates-trudk/2"


def with_step(tutorial, index, **fields):
    changed = copy.deepcopy(tutorial)
    changed["steps"][index].update(fields)
    return changed


def without(tutorial, key):
    changed = copy.deepcopy(tutorial)
    del changed[key]
    return changed


BAD_SPECIFICATIONS = {
    "an unknown block": (lambda t: with_step(t, 1, type="DetectionsOffset"), "DetectionOffset"),
    "an unknown input": (lambda t: with_step(t, 0, image="$inputs.imag"), "image"),
    "an unknown step": (lambda t: with_step(t, 1, predictions="$steps.plate_detector.predictions"), "plates_detector"),
    "an unknown output of a step": (lambda t: with_step(t, 3, image="$steps.cropping.crop"), "crops"),
    "a value out of range": (lambda t: with_step(t, 0, confidence=1.5), "confidence"),
    "a kind that does not fit": (lambda t: with_step(t, 3, image="$steps.offset.predictions"), "image"),
    "an engine that does not exist": (lambda t: t | {"version": "2.0"}, "1."),
    "no version": (lambda t: without(t, "version"), "version"),
    "two steps of one name": (lambda t: with_step(t, 1, name="cropping"), "cropping"),
}


@pytest.mark.parametrize("case", BAD_SPECIFICATIONS)
def test_a_bad_specification_is_refused_with_what_would_be_right(sdk, tutorial, photo, case):
    change, hint = BAD_SPECIFICATIONS[case]

    with pytest.raises(SdkError) as caught:
        sdk("run_workflow", specification=change(tutorial), images={"image": photo})

    assert caught.value.type == "HTTPCallErrorError"
    assert caught.value.status == 400
    assert hint in caught.value.api_message


def test_a_missing_image_names_the_input(sdk, tutorial):
    with pytest.raises(SdkError) as caught:
        sdk("run_workflow", specification=tutorial, images={})

    assert caught.value.status == 400
    assert "image" in caught.value.api_message


def test_text_that_is_no_image_is_refused(sdk, tutorial):
    with pytest.raises(SdkError) as caught:
        sdk("run_workflow", specification=tutorial, images={"image": "bm90IGFuIGltYWdl"})

    assert caught.value.status == 400


def test_an_unknown_model_in_a_step_names_the_step_and_what_is_served(sdk, tutorial, photo):
    with pytest.raises(SdkError) as caught:
        sdk("run_workflow", specification=with_step(tutorial, 0, model_id="plates-trudk/2"), images={"image": photo})

    assert caught.value.status == 404
    assert "plates_detector" in caught.value.api_message
    assert MODEL in caught.value.api_message


def test_an_unknown_saved_workflow_is_not_found(sdk, photo):
    with pytest.raises(SdkError) as caught:
        sdk("run_workflow", workspace_name="local", workflow_id="read-plate", images={"image": photo})

    assert caught.value.status == 404
    assert "read-plates" in caught.value.api_message


@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_an_unknown_model_is_not_found_in_either_mode(sdk, photo, mode):
    with pytest.raises(SdkError) as caught:
        sdk("infer", inference_input=photo, model_id="nope/1", mode=mode)

    assert caught.value.status == 404
    assert "nope/1" in caught.value.api_message


def test_a_malformed_model_id_is_refused(sdk):
    with pytest.raises(SdkError) as caught:
        sdk("load_model", model_id="a/b/c/d")

    assert caught.value.status in {400, 404}


def test_ocr_of_no_image_is_refused(sdk):
    with pytest.raises(SdkError) as caught:
        sdk("ocr_image", inference_input="bm90IGFuIGltYWdl")

    assert caught.value.status == 400
