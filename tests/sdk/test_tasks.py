"""Models that do more than find boxes, through the vendor's client in both of its modes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sdk.own_models import CLASSIFIER, POSE, SEGMENTER, TAGGER

KEYS = {"inference_id", "time"}


def without_fresh(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is made anew for each request."""
    predictions = answer["predictions"]
    if isinstance(predictions, list):
        predictions = [{key: each[key] for key in each if key != "detection_id"} for each in predictions]
    return {key: value for key, value in answer.items() if key not in KEYS} | {"predictions": predictions}


@pytest.mark.parametrize("model_id", [SEGMENTER, POSE, CLASSIFIER, TAGGER])
def test_both_modes_of_infer_answer_alike(sdk, photo, model_id):
    new = sdk("infer", inference_input=photo, model_id=model_id, configuration={"confidence_threshold": 0.2})
    old = sdk("infer", inference_input=photo, model_id=model_id, mode="v0", configuration={"confidence_threshold": 0.2})

    assert without_fresh(new) == without_fresh(old)
    assert new["predictions"]


def test_a_segmenter_gives_outlines_or_run_lengths(sdk, photo):
    outlined = sdk("infer", inference_input=photo, model_id=SEGMENTER)
    runs = sdk("infer", inference_input=photo, model_id=SEGMENTER, configuration={"response_mask_format": "rle"})

    assert len(outlined["predictions"]) == len(runs["predictions"]) > 0
    for one, other in zip(outlined["predictions"], runs["predictions"], strict=True):
        assert (one["mask_format"], other["mask_format"]) == ("polygon", "rle")
        assert len(one["points"]) > 2
        assert other["rle"]["size"] == [runs["image"]["height"], runs["image"]["width"]]


def test_a_model_of_key_points_names_them(sdk, photo):
    found = sdk("infer", inference_input=photo, model_id=POSE, configuration={"keypoint_confidence_threshold": 0.3})

    named = [point for each in found["predictions"] for point in each["keypoints"]]
    assert {point["class"] for point in named} <= {f"point-{index}" for index in range(4)}
    assert min(point["confidence"] for point in named) >= 0.3


def test_a_single_label_classifier_names_the_surest_class_first(sdk, photo):
    found = sdk("infer", inference_input=photo, model_id=CLASSIFIER, configuration={"confidence_threshold": 0.01})

    scores = [each["confidence"] for each in found["predictions"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=2e-4)
    assert (found["top"], found["confidence"]) == (found["predictions"][0]["class"], scores[0])


def test_a_multi_label_classifier_scores_every_class(sdk, photo):
    found = sdk("infer", inference_input=photo, model_id=TAGGER, configuration={"confidence_threshold": 0.01})

    assert set(found["predictions"]) == {"red", "green", "blue"}
    assert found["predicted_classes"] == ["red", "green", "blue"]


@pytest.mark.parametrize("model_id", [SEGMENTER, POSE, CLASSIFIER])
def test_predictions_are_drawn(sdk, photo, model_id):
    drawn = sdk(
        "infer",
        inference_input=photo,
        model_id=model_id,
        configuration={"visualize_predictions": True, "output_visualisation_format": "NUMPY"},
    )

    assert drawn["visualization"]["$ndarray"][:2] == [drawn["image"]["height"], drawn["image"]["width"]]


def test_the_client_is_told_the_task_of_each_model(sdk):
    tasks = {model["model_id"]: model["task_type"] for model in sdk("load_model", model_id=TAGGER)["models"]}

    assert tasks[TAGGER] == "classification"
