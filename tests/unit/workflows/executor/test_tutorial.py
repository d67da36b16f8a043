"""Two images through detector, offset, crop and text reader.

The expected values are the golden example of the language's contract: engine 1.15.0, section 12, with the correction of
1.17.0 that zero detections keep the size of their image.
"""

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.unit.workflows.builders import boxes, detections, frozen
from tests.unit.workflows.sample_blocks import no_ports
from workflows.compiler.compile import compile_definition
from workflows.executor.local_dispatcher import LocalDispatcher
from workflows.executor.options import RunOptions
from workflows.executor.run import run_workflow
from workflows.ports import StepRun
from workflows.values.detections import new_detection_ids
from workflows.values.recognized_text import RecognizedText, TextLevel

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STEPS = [
    {"type": "ObjectDetectionModel", "name": "det", "image": "$inputs.image", "model_id": "plates/1"},
    {
        "type": "DetectionOffset",
        "name": "off",
        "predictions": "$steps.det.predictions",
        "offset_x": 20,
        "offset_y": 20,
        "image_metadata": "$steps.det.image",
    },
    {"type": "Crop", "name": "crop", "image": "$inputs.image", "detections": "$steps.off.predictions"},
    {"type": "OCRModel", "name": "ocr", "image": "$steps.crop.crops"},
]
SELECTED = {
    "det": "$steps.det.predictions",
    "size": "$steps.det.image",
    "call": "$steps.det.inference_id",
    "off": "$steps.off.predictions",
    "crops": "$steps.crop.crops",
    "text": "$steps.ocr.result",
    "text_boxes": "$steps.ocr.predictions",
    "text_parent": "$steps.ocr.parent_id",
    "text_root": "$steps.ocr.root_parent_id",
    "text_type": "$steps.ocr.prediction_type",
}


class OnePlateOnLargeImages:
    async def detect(self, image, model_id, options):
        rows = [[50, 40, 111, 80]] if image.wh == (300, 200) else []
        return detections(
            *rows,
            confidence=np.full(len(rows), 0.9),
            detection_id=new_detection_ids(len(rows)),
            parent_id=np.array([image.id] * len(rows), dtype=np.str_),
            image_wh=image.wh,
            placement=image.placement,
        )


class ReadsOneWord:
    async def read(self, image):
        return RecognizedText(
            text="AB 12",
            xyxy=boxes([1, 2, 30, 20]),
            level=frozen(np.array([TextLevel.WORD], dtype=np.int64)),
            texts=("AB 12",),
            scores=frozen(np.array([0.8])),
            confidence=0.8,
        )


def png(width, height):
    return base64.b64encode(cv2.imencode(".png", np.full((height, width, 3), 90, np.uint8))[1].tobytes()).decode()


@pytest.fixture
async def results():
    document = {
        "version": "1.0",
        "inputs": [{"type": "InferenceImage", "name": "image"}],
        "steps": STEPS,
        "outputs": [{"type": "JsonField", "name": name, "selector": text} for name, text in SELECTED.items()],
    }
    plan = compile_definition(document)
    dispatcher = LocalDispatcher(
        lambda step: replace(
            no_ports(step),
            object_detector=OnePlateOnLargeImages(),
            text_reader=ReadsOneWord(),
            step_run=StepRun(inference_id="call-1"),
        )
    )
    images = [{"type": "base64", "value": png(300, 200)}, {"type": "base64", "value": png(120, 100)}]
    return await run_workflow(plan, {"image": images}, dispatcher, RunOptions())


async def test_there_is_one_result_an_image_with_every_output(results):
    assert len(results) == 2
    assert all(list(result) == list(SELECTED) for result in results)


async def test_the_detector_says_what_it_found(results):
    (box,) = results[0]["det"]["predictions"]
    assert results[0]["det"]["image"] == {"width": 300, "height": 200}
    assert (box["x"], box["y"], box["width"], box["height"]) == (80.5, 60.0, 61.0, 40.0)
    assert box["parent_id"] == "image.[0]"


async def test_the_offset_grows_the_box_and_gives_it_a_new_identity(results):
    (before,), (after,) = results[0]["det"]["predictions"], results[0]["off"]["predictions"]
    assert (after["x"], after["y"], after["width"], after["height"]) == (80.5, 60.0, 81.0, 60.0)
    assert UUID.fullmatch(after["detection_id"])
    assert after["detection_id"] != before["detection_id"]
    assert after["parent_id"] == before["detection_id"]
    assert after["parent_origin"] == {"offset_x": 0, "offset_y": 0, "width": 300, "height": 200}
    assert after["root_parent_id"] == "image.[0]"


async def test_the_crop_knows_where_it_was_cut(results):
    (crop,), (box,) = results[0]["crops"], results[0]["off"]["predictions"]
    assert crop["parent_id"] == box["detection_id"]
    assert crop["parent_origin"] == {"offset_x": 40, "offset_y": 30, "width": 300, "height": 200}
    assert crop["root_parent_id"] == "image.[0]"
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(crop["value"]), np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (60, 81, 3)


async def test_the_text_is_a_list_an_image(results):
    (box,) = results[0]["off"]["predictions"]
    assert results[0]["text"] == ["AB 12"]
    assert results[0]["text_parent"] == [box["detection_id"]]
    assert results[0]["text_root"] == ["image.[0]"]
    assert results[0]["text_type"] == ["ocr"]
    (boxes,) = results[0]["text_boxes"]
    assert boxes["image"] == {"width": None, "height": None}
    assert "parent_id" not in boxes["predictions"][0]


async def test_an_image_without_plates_has_empty_lists(results):
    assert results[1]["det"] == {"image": {"width": 120, "height": 100}, "predictions": []}
    assert results[1]["off"] == {"image": {"width": 120, "height": 100}, "predictions": []}
    assert [results[1][name] for name in SELECTED if name.startswith(("crops", "text"))] == [[]] * 6


async def test_all_images_share_one_model_call(results):
    assert [result["call"] for result in results] == ["call-1", "call-1"]


async def test_the_tutorials_output_of_the_image_size_is_there(results):
    assert [result["size"] for result in results] == [{"width": 300, "height": 200}, {"width": 120, "height": 100}]


def test_the_tutorial_is_three_calls():
    document = {
        "version": "1.0",
        "inputs": [{"type": "InferenceImage", "name": "image"}],
        "steps": STEPS,
        "outputs": [{"type": "JsonField", "name": "text", "selector": "$steps.ocr.result"}],
    }
    assert [stage.steps for stage in compile_definition(document).stages] == [("det",), ("off", "crop"), ("ocr",)]
