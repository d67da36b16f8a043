"""The routes of models that say more than boxes, and the oldest route, which answers as the model's task has it."""

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.unit.deployments.fake_backend import classes, found_boxes, one_mask, one_nose

ROUTES = {
    "plates/1": "/infer/object_detection",
    "cars/1": "/infer/instance_segmentation",
    "people/1": "/infer/keypoints_detection",
    "kinds/1": "/infer/classification",
    "tags/1": "/infer/classification",
}
MODELS = tuple(ROUTES)
BOX = {"x": 5.0, "y": 2.5, "width": 6.0, "height": 3.0, "confidence": pytest.approx(0.9), "class_id": 0}
SQUARE = [{"x": 2.0, "y": 1.0}, {"x": 2.0, "y": 3.0}, {"x": 7.0, "y": 3.0}, {"x": 7.0, "y": 1.0}]


async def asked(client, model_id, image, **more):
    body = {"id": "call", "model_id": model_id, "image": image, **more}
    return await client.post(ROUTES[model_id], json=body)


async def answered(client, model_id, image, **more):
    answer = await asked(client, model_id, image, **more)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.pop("inference_id") == "call"
    assert body.pop("time") > 0
    assert body.pop("image") == {"width": 10, "height": 5}
    for prediction in body["predictions"] if "top" not in body and "predicted_classes" not in body else ():
        prediction.pop("detection_id")
    return body


async def legacy(client, model_id, png, **query):
    return await client.post(f"/{model_id}", params=query, files={"file": png})


async def test_a_segmenter_answers_outlines(client, image):
    body = await answered(client, "cars/1", image)
    assert body == {"predictions": [{**BOX, "class": "car", "points": SQUARE, "mask_format": "polygon"}]}


async def test_a_segmenter_answers_run_lengths_when_asked(client, image):
    (found,) = (await answered(client, "cars/1", image, response_mask_format="rle"))["predictions"]
    assert found.keys() == {*BOX, "class", "rle", "mask_format"}
    assert found["mask_format"] == "rle"
    assert found["rle"]["size"] == [5, 10]
    # 2 empty columns of 5 and a pixel, then 6 columns of 3 pixels with 2 between, then a pixel and 2 empty columns
    assert runs(found["rle"]["counts"]) == [11, *[3, 2] * 5, 3, 11]


def runs(text):
    """Counts of compressed run lengths whose numbers all fit into ten bits, decoded as the COCO API does."""
    counts, at = [], 0
    while at < len(text):
        value = shift = 0
        while True:
            group = ord(text[at]) - 48
            at += 1
            value |= (group & 31) << shift
            shift += 5
            if not group & 32:
                break
        if group & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


async def test_the_outline_of_a_mask_with_a_hole_is_the_outer_one(client, image, backend):
    holed = np.ones((1, 5, 10), dtype=np.bool_)
    holed[0, 1:4, 2:8] = np.array([[0, 1, 0, 1, 0, 1], [0] * 6, [1, 0, 1, 0, 1, 0]])
    masks = type(one_mask()).of_arrays(holed)
    backend.said["cars/1"] = replace(found_boxes((0, 0, 10, 5), names=("car",)), masks=masks)
    (found,) = (await answered(client, "cars/1", image))["predictions"]
    assert sorted((point["x"], point["y"]) for point in found["points"]) == [(0, 0), (0, 4), (9, 0), (9, 4)]


async def test_a_model_of_key_points_answers_those_it_found(client, image):
    (found,) = (await answered(client, "people/1", image))["predictions"]
    nose = {"x": 4.0, "y": 2.0, "confidence": 0.75, "class_id": 0, "class": "nose"}
    assert found == {**BOX, "class": "person", "keypoints": [nose]}


async def test_a_single_label_classifier_answers_its_classes_and_the_best(client, image):
    assert await answered(client, "kinds/1", image) == {
        "predictions": [
            {"class": "car", "class_id": 0, "confidence": 0.7},
            {"class": "bus", "class_id": 1, "confidence": 0.2},
        ],
        "top": "car",
        "confidence": 0.7,
    }


async def test_a_multi_label_classifier_answers_all_classes_and_those_that_apply(client, image):
    assert await answered(client, "tags/1", image) == {
        "predictions": {
            "car": {"confidence": 0.1, "class_id": 0},
            "bus": {"confidence": 0.6, "class_id": 1},
            "bike": {"confidence": 0.7, "class_id": 2},
        },
        "predicted_classes": ["bus", "bike"],
    }


async def test_a_classifier_that_is_sure_of_nothing_names_no_class(client, image, backend):
    backend.said["kinds/1"] = classes()
    assert await answered(client, "kinds/1", image) == {"predictions": [], "top": "", "confidence": 0.0}


@pytest.mark.parametrize(("model_id", "part"), [("cars/1", "masks"), ("people/1", "keypoints")])
async def test_nothing_found_is_an_empty_list(client, image, backend, model_id, part):
    parts = {"masks": one_mask(), "keypoints": one_nose(0, 0).select(np.zeros(0, dtype=np.int64))}
    backend.said[model_id] = replace(found_boxes(), **{part: parts[part]})
    assert await answered(client, model_id, image) == {"predictions": []}


async def test_options_of_each_task_reach_its_model(client, image, backend):
    await asked(client, "cars/1", image, mask_decode_mode="tradeoff", tradeoff_factor=0.5, confidence="best")
    await asked(client, "people/1", image, keypoint_confidence=0.25, class_filter=["person"])
    await asked(client, "kinds/1", image, confidence="best", disable_preproc_contrast=True)
    of_cars, of_people, of_kinds = backend.options
    assert (of_cars.mask_decode_mode, of_cars.tradeoff_factor, of_cars.confidence) == ("tradeoff", 0.5, "best")
    assert (of_people.keypoint_confidence, of_people.class_filter, of_people.confidence) == (0.25, ("person",), 0.4)
    assert (of_kinds.confidence, of_kinds.disable_contrast) == ("best", True)


async def test_options_of_each_task_that_are_null_have_their_defaults(client, image, backend):
    assert (await asked(client, "cars/1", image, mask_decode_mode=None, tradeoff_factor=None)).status_code == 200
    assert (await asked(client, "people/1", image, keypoint_confidence=None)).status_code == 200
    of_cars, of_people = backend.options
    assert (of_cars.mask_decode_mode, of_cars.tradeoff_factor, of_people.keypoint_confidence) == ("accurate", 0.0, 0.0)


@pytest.mark.parametrize("model_id", MODELS)
async def test_a_list_of_images_gives_a_list(client, image, model_id):
    answers = (await asked(client, model_id, [image] * 2)).json()
    assert [answer["inference_id"] for answer in answers] == ["call", "call"]


@pytest.mark.parametrize("model_id", MODELS)
async def test_every_prediction_can_be_drawn(client, image, model_id):
    body = (await asked(client, model_id, image, visualize_predictions=True, visualization_labels=True)).json()
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(body["visualization"]), np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (5, 10, 3)
    assert drawn.max() > 50  # the picture is black but for what was drawn


@pytest.mark.parametrize(("model_id", "route"), [("plates/1", ROUTES["cars/1"]), ("kinds/1", ROUTES["people/1"])])
async def test_a_model_for_something_else_is_refused(client, image, model_id, route):
    answer = await client.post(route, json={"model_id": model_id, "image": image})
    assert answer.status_code == 400
    assert f"model '{model_id}' is for" in answer.json()["message"]


@pytest.mark.parametrize(
    ("model_id", "wrong"),
    [
        ("cars/1", {"mask_decode_mode": "slow"}),
        ("cars/1", {"tradeoff_factor": 1.5}),
        ("cars/1", {"response_mask_format": "png"}),
        ("people/1", {"confidence": "best"}),
        ("people/1", {"keypoint_confidence": "high"}),
        ("kinds/1", {"confidence": "sure"}),
    ],
)
async def test_values_that_a_task_does_not_know_are_refused(client, image, model_id, wrong):
    answer = await asked(client, model_id, image, **wrong)
    assert (answer.status_code, set(answer.json())) == (422, {"detail"})


@pytest.mark.parametrize("model_id", MODELS)
async def test_the_oldest_route_answers_as_the_task_of_the_model_has_it(client, image, png, model_id):
    old = (await legacy(client, model_id, png)).json()
    new = (await asked(client, model_id, image)).json()
    for answer in (old, new):
        for name in ("inference_id", "time"):
            answer.pop(name)
        for prediction in answer["predictions"]:
            if isinstance(prediction, dict):
                prediction.pop("detection_id", None)
    assert old == new


async def test_the_oldest_route_takes_the_options_of_every_task(client, png, backend):
    query = {
        "confidence": "50",
        "mask_decode_mode": "tradeoff",
        "tradeoff_factor": "0.5",
        "keypoint_confidence": "0.25",
        "response_mask_format": "rle",
        "allow_reduced_mask_resolution": "False",
    }
    (found,) = (await legacy(client, "cars/1", png, **query)).json()["predictions"]
    assert found["mask_format"] == "rle"
    (options,) = backend.options
    assert (options.confidence, options.mask_decode_mode, options.tradeoff_factor) == (0.5, "tradeoff", 0.5)
    assert options.keypoint_confidence == 0.25


@pytest.mark.parametrize("model_id", MODELS)
async def test_the_oldest_route_gives_a_picture_when_asked(client, png, model_id):
    answer = await legacy(client, model_id, png, format="image")
    assert answer.headers["content-type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR).max() > 50


async def test_the_registry_names_tasks_as_clients_know_them(client):
    for model_id in MODELS:
        await client.post("/model/add", json={"model_id": model_id})
    rows = (await client.get("/model/registry")).json()["models"]
    assert {row["model_id"]: row["task_type"] for row in rows} == {
        "plates/1": "object-detection",
        "cars/1": "instance-segmentation",
        "people/1": "keypoint-detection",
        "kinds/1": "classification",
        "tags/1": "classification",
    }
