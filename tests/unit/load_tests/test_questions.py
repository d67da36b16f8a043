from __future__ import annotations

import base64
import itertools
import json
from collections import Counter

import cv2
import numpy as np
import pytest

from deployments.dataplane.sample import sample_cut_out
from load_tests.pictures import photograph, wall
from load_tests.questions import requests_of
from load_tests.scenario import Pictures, Question, find_scenario, read_scenario
from load_tests.target import RunningTarget

TARGET = RunningTarget(url="http://127.0.0.1:9", headers={"X-Key": "k"}, paths={"/healthz": "/live"})


def split(request: bytes) -> tuple[str, dict]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head.decode(), json.loads(body) if body else {}


def test_a_path_is_fetched_where_the_target_has_it_with_its_headers() -> None:
    request = next(requests_of(Question(get="/healthz"), TARGET, 0))
    assert request == b"GET /live HTTP/1.1\r\nHost: 127.0.0.1:9\r\nX-Key: k\r\n\r\n"


def test_models_are_asked_in_turn() -> None:
    stream = requests_of(Question(models=("a/1", "b/1", "c/1")), TARGET, 0)
    asked = [split(request) for request in itertools.islice(stream, 7)]
    assert [body["model_id"] for _, body in asked] == ["a/1", "b/1", "c/1", "a/1", "b/1", "c/1", "a/1"]
    assert asked[0][0].startswith("POST /infer/object_detection HTTP/1.1\r\n")


def test_pictures_are_drawn_by_their_shares_and_from_the_seed() -> None:
    question = Question(workflow="tutorial", pictures=Pictures(plates={0: 3, 2: 1}))
    first, again, other = (
        [len(request) for request in itertools.islice(requests_of(question, TARGET, seed), 4000)] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert sorted(Counter(first).values()) == pytest.approx([1000, 3000], abs=137)  # 5 deviations of sqrt(4000/4*3/4)


def test_a_workflow_is_sent_with_its_picture_and_asks_for_none_back() -> None:
    _, body = split(next(requests_of(Question(workflow="tutorial"), TARGET, 0)))
    assert base64.b64decode(body["inputs"]["image"]["value"]) == photograph(1)
    assert set(body["excluded_fields"]) == {"image", "crops"}
    assert next(step["name"] for step in body["specification"]["steps"]) == "plates_detector"


def test_a_workflow_that_takes_no_picture_is_sent_none() -> None:
    question = read_scenario(find_scenario("empty")).questions["no_steps"]
    head, body = split(next(requests_of(question, TARGET, 0)))
    assert body["inputs"] == {}
    assert f"Content-Length: {len(json.dumps(body))}" in head


@pytest.mark.parametrize("plates", [0, 1, 2, 3, 20])
def test_photographs_are_pictures(plates: int) -> None:
    pixels = cv2.imdecode(np.frombuffer(photograph(plates), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.ndim == 3


def test_a_wall_without_plates_is_grey() -> None:
    assert (wall(0) == 110).all()


@pytest.mark.weights
@pytest.mark.parametrize("plates", [0, 1, 2, 3, 5, 8, 12, 20])
def test_the_shipped_detector_finds_as_many_plates_as_a_photograph_is_said_to_have(plates: int) -> None:
    from deployments.dataplane.compute import as_image_model
    from deployments.models.loading import load_model
    from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
    from deployments.settings import EngineSettings
    from workflows.ports import PredictionOptions

    packages = discover_packages(SHIPPED_DIRECTORY)
    detector = as_image_model(load_model(packages["vehicle-registration-plates-trudk/2"], EngineSettings()))
    pixels = cv2.imdecode(np.frombuffer(photograph(plates), np.uint8), cv2.IMREAD_COLOR)
    (found,) = detector.predict_batch([pixels], [PredictionOptions()]).predictions
    assert len(found.xyxy) == plates


def test_cut_outs_are_a_batch_of_plates() -> None:
    _, body = split(next(requests_of(Question(workflow="tutorial", cut_outs=3), TARGET, 0)))
    images = [base64.b64decode(image["value"]) for image in body["inputs"]["image"]]
    assert images == [sample_cut_out()] * 3
    assert cv2.imdecode(np.frombuffer(images[0], np.uint8), cv2.IMREAD_COLOR).shape == (106, 452, 3)


def test_a_target_is_asked_for_its_own_model() -> None:
    target = RunningTarget(url="http://127.0.0.1:9", models={"a/1": "lite/1"})
    stream = requests_of(Question(models=("a/1", "b/1")), target, 0)
    assert [split(request)[1]["model_id"] for request in itertools.islice(stream, 2)] == ["lite/1", "b/1"]


def test_a_target_with_models_of_its_own_is_shown_its_own_photograph() -> None:
    target = RunningTarget(url="http://127.0.0.1:9", photograph=photograph(0))
    _, body = split(next(requests_of(Question(workflow="tutorial"), target, 0)))
    assert base64.b64decode(body["inputs"]["image"]["value"]) == photograph(0)
