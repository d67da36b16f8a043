"""Single models through the vendor's client, in both of its modes, and the management of models."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

MODEL = "vehicle-registration-plates-trudk/2"


def test_both_modes_of_infer_find_the_same_plate(sdk, photo):
    new = sdk("infer", inference_input=photo, model_id=MODEL)
    old = sdk("infer", inference_input=photo, model_id=MODEL, mode="v0")

    boxes = [[prediction[key] for key in ("x", "y", "width", "height")] for prediction in new["predictions"]]
    assert len(boxes) == 1
    assert [[prediction[key] for key in ("x", "y", "width", "height")] for prediction in old["predictions"]] == boxes
    assert new["image"] == old["image"]


def test_infer_takes_a_list(sdk, photo):
    answers = sdk("infer", inference_input=[photo, photo], model_id=MODEL)

    assert [len(answer["predictions"]) for answer in answers] == [1, 1]


def test_the_client_configures_the_detector(sdk, photo):
    nothing = sdk("infer", inference_input=photo, model_id=MODEL, configuration={"class_filter": ["no-such-class"]})
    drawn = sdk(
        "infer",
        inference_input=photo,
        model_id=MODEL,
        configuration={"visualize_predictions": True, "output_visualisation_format": "NUMPY"},
    )

    assert nothing["predictions"] == []
    assert drawn["visualization"]["$ndarray"][:2] == [drawn["image"]["height"], drawn["image"]["width"]]


def test_the_old_mode_reads_percent(sdk, photo):
    found = sdk("infer", inference_input=photo, model_id=MODEL, mode="v0", configuration={"confidence_threshold": 99.9})

    assert found["predictions"] == []


def test_ocr_image_reads_and_draws_boxes(sdk, photo):
    plain = sdk("ocr_image", inference_input=photo)
    boxed = sdk("ocr_image", inference_input=photo, generate_bounding_boxes=True)

    assert isinstance(plain["result"], str)
    assert "predictions" not in plain
    assert set(boxed) >= {"result", "time", "image", "predictions", "parent_id"}


def test_ocr_image_reads_with_pp_ocr(sdk, photo, plate_text):
    if find_spec("rapidocr") is None:
        pytest.skip("PP-OCR's networks are not installed: the extra pp-ocr")
    read = sdk("ocr_image", inference_input=photo, model="pp_ocr")
    boxes = sdk("ocr_image", inference_input=photo, model="pp_ocr", version="small-none")

    assert "".join(read["result"].split()) == plate_text
    assert [prediction["class"] for prediction in read["predictions"]] == [read["result"]]
    assert (boxes["result"], {prediction["class"] for prediction in boxes["predictions"]}) == ("", {""})


def test_models_are_listed_loaded_and_unloaded(sdk):
    loaded = sdk("load_model", model_id=MODEL)
    listed = sdk("list_loaded_models")
    unloaded = sdk("unload_model", model_id=MODEL)

    assert MODEL in {model["model_id"] for model in loaded["models"]}
    (row,) = [model for model in listed["models"] if model["model_id"] == MODEL]
    assert row["task_type"] == "object-detection"
    assert "models" in unloaded


def test_unload_all_models_answers_the_list(sdk):
    assert "models" in sdk("unload_all_models")


def test_the_server_introduces_itself(sdk):
    info = sdk("get_server_info")

    assert set(info) >= {"name", "version", "uuid"}
