"""A newcomer's story: an export and the names of its classes become a served model by one command."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.sdk.own_models import OWN_MODEL, TORN_MODEL
from tests.sdk.sdk_error import SdkError

MAGENTA = (255, 0, 255)


@pytest.fixture(scope="module")
def parking_lot(tmp_path_factory):
    """1280x720 pixels, black, with a plate of 128x48 whose upper left corner is at 640, 200.

    The network sees half of it below 140 grey rows; its window of 64x24 then lies on the plate exactly.
    """
    pixels = np.zeros((720, 1280, 3), dtype=np.uint8)
    pixels[200:248, 640:768] = MAGENTA
    path = tmp_path_factory.mktemp("pictures") / "parking-lot.png"
    cv2.imwrite(str(path), pixels)
    return {"$image": str(path), "as": "path"}


@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_an_export_and_a_list_of_names_answer_the_client(sdk, parking_lot, mode):
    found = sdk("infer", inference_input=parking_lot, model_id=OWN_MODEL, mode=mode)

    (box,) = found["predictions"]
    assert {key: box[key] for key in ("x", "y", "width", "height", "class", "class_id")} == {
        "x": 704.0,
        "y": 224.0,
        "width": 128.0,
        "height": 48.0,
        "class": "license-plate",
        "class_id": 0,
    }
    assert box["confidence"] == pytest.approx(1.0)


def test_it_is_a_step_of_a_workflow_like_any_other(sdk, tutorial, parking_lot):
    tutorial["steps"][0]["model_id"] = OWN_MODEL
    (outputs,) = sdk("run_workflow", specification=tutorial, images={"image": parking_lot})

    assert len(outputs["recognised_plates"]) == 1


def test_a_torn_export_beside_it_is_refused_with_its_reason(sdk, parking_lot):
    with pytest.raises(SdkError) as caught:
        sdk("infer", inference_input=parking_lot, model_id=TORN_MODEL)

    assert caught.value.status == 500
    assert "weights.onnx is no whole ONNX file" in caught.value.api_message
    assert len(sdk("infer", inference_input=parking_lot, model_id=OWN_MODEL)["predictions"]) == 1
