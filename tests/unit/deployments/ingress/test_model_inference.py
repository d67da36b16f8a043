import base64

import cv2
import numpy as np
import pytest

from tests.unit.deployments.fake_backend import found_boxes
from workflows.ports import PredictionOptions


@pytest.mark.parametrize(("route", "body"), [("/infer/object_detection", {"model_id": "plates/1"}), ("/doctr/ocr", {})])
async def test_an_image_that_cannot_be_read_names_its_model_all_the_same(client, route, body):
    answer = await client.post(route, json=body | {"image": {"type": "base64", "value": "aGVsbG8="}})
    assert answer.status_code == 400
    assert answer.headers["x-model-id"] == body.get("model_id", "doctr/default")


async def test_one_image_gives_one_answer(client, image):
    answer = await client.post("/infer/object_detection", json={"model_id": "plates/1", "image": image})
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["inference_id", "time", "image", "predictions"]
    assert body["image"] == {"width": 10, "height": 5}
    (box,) = body["predictions"]
    detection_id = box.pop("detection_id")
    assert len(detection_id) == 36
    assert box == {
        "x": 5.0,
        "y": 2.5,
        "width": 6.0,
        "height": 3.0,
        "confidence": pytest.approx(0.9),
        "class": "plate",
        "class_id": 0,
    }
    assert answer.headers["x-model-id"] == "plates/1"


async def test_a_list_of_images_gives_a_list_that_shares_one_inference_id(client, image):
    answer = await client.post(
        "/infer/object_detection", json={"id": "x", "model_id": "plates/1", "image": [image] * 2}
    )
    assert [each["inference_id"] for each in answer.json()] == ["x", "x"]


async def test_a_list_of_one_stays_a_list(client, image):
    answer = await client.post("/infer/object_detection", json={"model_id": "plates/1", "image": [image]})
    assert len(answer.json()) == 1


async def test_nothing_found_is_an_empty_list(client, image, backend):
    backend.said["plates/1"] = found_boxes()
    answer = await client.post("/infer/object_detection", json={"model_id": "plates/1", "image": image})
    assert answer.json()["predictions"] == []


async def test_options_reach_the_model_and_unknown_ones_are_ignored(client, image, backend):
    body = {
        "model_id": "plates/1",
        "image": image,
        "confidence": "best",
        "iou_threshold": 0.9,
        "max_detections": 3,
        "class_agnostic_nms": True,
        "class_filter": ["plate"],
        "allow_reduced_mask_resolution": False,
    }
    await client.post("/infer/object_detection", json=body)
    (options,) = backend.options
    assert options.confidence == "best"
    assert options.iou_threshold == 0.9
    assert options.max_detections == 3
    assert options.class_agnostic_nms
    assert options.class_filter == ("plate",)


async def test_options_that_are_null_have_their_defaults(client, image, backend):
    body = {
        "model_id": "plates/1",
        "image": image,
        "iou_threshold": None,
        "max_detections": None,
        "class_agnostic_nms": None,
        "class_filter": None,
        "visualize_predictions": None,
        "visualization_labels": None,
        "visualization_stroke_width": None,
        "disable_preproc_auto_orient": None,
        "disable_preproc_contrast": None,
        "disable_preproc_grayscale": None,
        "disable_preproc_static_crop": None,
    }
    answer = await client.post("/infer/object_detection", json=body)
    assert answer.status_code == 200
    assert "visualization" not in answer.json()
    assert backend.options == [PredictionOptions(confidence=0.4, iou_threshold=0.3, max_detections=300)]


async def test_a_text_reading_option_that_is_null_has_its_default(client, image):
    body = {"image": image, "generate_bounding_boxes": None, "doctr_version_id": None}
    answer = await client.post("/doctr/ocr", json=body)
    assert answer.status_code == 200
    assert answer.headers["x-model-id"] == "doctr/default"
    assert "predictions" not in answer.json()


async def test_an_empty_class_filter_keeps_all(client, image, backend):
    await client.post("/infer/object_detection", json={"model_id": "plates/1", "image": image, "class_filter": []})
    assert backend.options[0].class_filter is None


async def test_a_drawing_comes_as_jpeg_text(client, image):
    body = {"model_id": "plates/1", "image": image, "visualize_predictions": True, "visualization_labels": True}
    answer = await client.post("/infer/object_detection", json=body)
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(answer.json()["visualization"]), np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (5, 10, 3)
    assert drawn.max() > 50  # the picture is black but for what was drawn


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model_id": "nope/1"}, 404),
        ({"model_id": "plates/1", "image": {"type": "base64", "value": "AAAA"}}, 400),
        ({"model_id": "plates/1", "image": {"type": "numpy", "value": "AAAA"}}, 400),
        ({"model_id": "plates/1", "image": {"type": "file", "value": "/etc/hostname"}}, 400),
        ({"model_id": "plates/1", "image": {"type": "nope", "value": "AAAA"}}, 400),
        ({"model_id": "plates/1", "image": {"type": "url", "value": "http://example.com/a.png"}}, 400),
        ({"model_id": "plates/1", "image": {"type": "url", "value": "https://localhost/a.png"}}, 400),
        ({"model_id": "plates/1", "image": []}, 400),
        ({"model_id": "plates/1", "image": 5}, 400),
        ({}, 422),
        ({"model_id": "plates/1", "confidence": "sure"}, 422),
        ({"model_id": "plates/1", "max_detections": 0}, 422),
        ({"model_id": "plates/1", "max_detections": -1}, 422),
    ],
)
async def test_bad_requests_answer_with_a_message(client, image, body, status):
    answer = await client.post("/infer/object_detection", json={"image": image, **body})
    assert answer.status_code == status
    assert set(answer.json()) == ({"detail"} if status == 422 else {"message"})


async def test_too_many_images_are_refused(client, image):
    answer = await client.post("/infer/object_detection", json={"model_id": "plates/1", "image": [image] * 4})
    assert answer.status_code == 413


async def test_text_is_read(client, image):
    answer = await client.post("/doctr/ocr", json={"api_key": None, "image": image})
    body = answer.json()
    assert list(body) == ["result", "time", "parent_id"]
    assert body["result"] == "AB 12"
    assert body["parent_id"] is None
    assert answer.headers["x-model-id"] == "doctr/default"


async def test_the_boxes_of_text_come_when_they_are_asked_for(client, image):
    answer = await client.post("/doctr/ocr", json={"image": [image], "generate_bounding_boxes": True})
    (body,) = answer.json()
    assert body["image"] == {"width": 10, "height": 5}
    told = [(box["class"], box["class_id"], box["x"], box["confidence"]) for box in body["predictions"]]
    assert told == [("word", 2, 5.0, 1.0), ("line", 1, 5.0, 1.0), ("block", 0, 5.0, 1.0)]


async def test_an_image_without_text_has_no_boxes(client, image, backend):
    backend.text = ""
    answer = await client.post("/doctr/ocr", json={"image": image, "generate_bounding_boxes": True})
    assert (answer.json()["result"], answer.json()["predictions"]) == ("", [])


async def test_no_images_to_read_are_no_answers(client):
    answer = await client.post("/doctr/ocr", json={"image": []})
    assert (answer.status_code, answer.json()) == (200, [])


async def test_pp_ocr_answers_line_by_line_with_the_text_as_the_class(client, image):
    answer = await client.post("/ocr/pp-ocr", json={"image": image})
    body = answer.json()
    assert list(body) == ["result", "time", "parent_id", "image", "predictions"]
    assert (body["result"], body["image"]) == ("AB 12", {"width": 10, "height": 5})
    (line,) = body["predictions"]
    assert (line["class"], line["class_id"], line["confidence"], line["x"]) == ("AB 12", 0, 1.0, 5.0)


@pytest.mark.parametrize(
    ("fields", "model_id"),
    [
        ({}, "pp_ocr/small-small"),
        ({"text_detection": "none"}, "pp_ocr/none-small"),
        ({"text_detection": None, "text_recognition": "tiny"}, "pp_ocr/none-tiny"),
        ({"pp_ocr_version_id": "small-none"}, "pp_ocr/small-none"),
        ({"pp_ocr_version_id": "medium"}, "pp_ocr/medium"),
        ({"pp_ocr_version_id": "medium", "text_detection": "tiny"}, "pp_ocr/tiny-small"),
    ],
)
async def test_sizes_or_a_version_name_the_model_of_pp_ocr(client, image, fields, model_id):
    answer = await client.post("/ocr/pp-ocr", json={"image": image} | fields)
    assert answer.headers["x-model-id"] == model_id
    assert answer.status_code == (200 if model_id == "pp_ocr/small-small" else 404)


async def test_an_unknown_size_is_refused(client, image):
    answer = await client.post("/ocr/pp-ocr", json={"image": image, "text_detection": "huge"})
    assert answer.status_code == 422


async def test_pp_ocr_takes_a_list(client, image):
    answer = await client.post("/ocr/pp-ocr", json={"image": [image, image]})
    assert [body["result"] for body in answer.json()] == ["AB 12", "AB 12"]
