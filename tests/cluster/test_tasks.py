"""Models that do more than find boxes, behind the routes and blocks of a real cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from deployments.models.loading import load_model
from deployments.models.package import read_package
from deployments.settings import EngineSettings
from tests.cluster.conftest import CLASSIFIER, POSE, SEGMENTER
from tests.cluster.photographs import image_input
from tests.unit.deployments.models.task_graphs import NAMES, write_classifier, write_pose, write_segmenter
from workflows.ports import PredictionOptions

pytestmark = pytest.mark.cluster

PICTURE = np.random.default_rng(5).integers(0, 256, (60, 90, 3), dtype=np.uint8)
PNG = cv2.imencode(".png", PICTURE)[1].tobytes()
CONFIDENCE, LEAST_SHARE = 0.7, 0.01


def step(name: str, block: str, model_id: str) -> dict[str, Any]:
    block = f"roboflow_core/roboflow_{block}_model@v2"
    return {"type": block, "name": name, "image": "$inputs.image", "model_id": model_id, "confidence": CONFIDENCE}


SPECIFICATION = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [
        step("shapes", "instance_segmentation", SEGMENTER),
        step("people", "keypoint_detection", POSE),
        {**step("colours", "classification", CLASSIFIER), "confidence": LEAST_SHARE},
        {
            "type": "Crop",
            "name": "crop",
            "image": "$inputs.image",
            "predictions": "$steps.shapes.predictions",
            "mask_opacity": 1.0,
        },
    ],
    "outputs": [
        {"type": "JsonField", "name": name, "selector": f"$steps.{name}.predictions", "coordinates_system": "own"}
        for name in ("shapes", "people", "colours", "crop")
    ],
}


@pytest.fixture(scope="module")
def answered(server: Any) -> dict[str, Any]:
    """The outputs of a workflow over all three models, for one picture."""
    body = {"specification": SPECIFICATION, "inputs": {"image": image_input(PNG)}}
    answer = httpx.post(f"{server.url}/workflows/run", json=body, timeout=240)
    assert answer.status_code == 200, answer.text
    (outputs,) = answer.json()["outputs"]
    return outputs


def found_here(directory: Path, confidence: float = CONFIDENCE) -> Any:
    """What the model of a package says in this process."""
    model: Any = load_model(read_package(directory), EngineSettings(device="cpu"))
    return model.predict_batch([PICTURE], [PredictionOptions(confidence=confidence)]).predictions[0]


def boxes(predictions: list[dict[str, Any]]) -> list[list[float]]:
    sides = [(each["x"], each["y"], each["width"] / 2, each["height"] / 2) for each in predictions]
    return [[x - half_w, y - half_h, x + half_w, y + half_h] for x, y, half_w, half_h in sides]


def outlines(predictions: list[dict[str, Any]]) -> list[list[list[float]]]:
    return [[[point["x"], point["y"]] for point in each["points"]] for each in predictions]


def test_a_segmenter_answers_in_a_workflow_as_it_does_here(answered: dict[str, Any], tmp_path: Path) -> None:
    here = found_here(write_segmenter(tmp_path / "m", SEGMENTER))
    there = answered["shapes"]["predictions"]
    assert len(here) > 1
    assert boxes(there) == here.xyxy.tolist()
    assert outlines(there) == [here.masks.outline(position).tolist() for position in range(len(here))]
    assert [each["class"] for each in there] == list(here.class_names)


def test_masks_travel_to_the_next_step_and_are_cut_there(answered: dict[str, Any], tmp_path: Path) -> None:
    here = found_here(write_segmenter(tmp_path / "m", SEGMENTER))
    crops = answered["crop"]
    assert len(crops) == len(here)
    for position, crop in enumerate(crops):
        (inside,) = crop["predictions"]
        corners = tuple(here.xyxy[position].astype(int).tolist())
        assert outlines([inside]) == [here.masks.cut(corners).outline(position).tolist()]


def test_a_model_of_key_points_answers_in_a_workflow_as_it_does_here(answered: dict[str, Any], tmp_path: Path) -> None:
    here = found_here(write_pose(tmp_path / "m", POSE))
    there = answered["people"]["predictions"]
    assert len(here) > 1
    assert boxes(there) == here.xyxy.tolist()
    for position, each in enumerate(there):
        points = [[point["x"], point["y"]] for point in each["keypoints"]]
        places = here.keypoints.xy[position]
        assert points == places[np.isfinite(places).all(axis=1)].tolist()


def test_a_classifier_answers_in_a_workflow_as_it_does_here(answered: dict[str, Any], tmp_path: Path) -> None:
    here = found_here(write_classifier(tmp_path / "m", CLASSIFIER), LEAST_SHARE)
    there = answered["colours"]
    assert sorted(here.class_name.tolist()) == sorted(NAMES)
    assert [each["class"] for each in there["predictions"]] == here.class_name.tolist()
    assert [each["confidence"] for each in there["predictions"]] == here.confidence.tolist()
    assert (there["top"], there["confidence"]) == (here.top_class, here.top_confidence)


@pytest.mark.parametrize("model_id", [SEGMENTER, POSE, CLASSIFIER])
def test_the_oldest_route_answers_as_the_task_has_it(server: Any, model_id: str) -> None:
    answer = httpx.post(f"{server.url}/{model_id}", params={"confidence": 70}, files={"file": PNG}, timeout=60)
    assert answer.status_code == 200, answer.text
    expected = {SEGMENTER: "points", POSE: "keypoints"}.get(model_id)
    body = answer.json()
    assert ("top" in body) is (expected is None)
    assert expected is None or all(expected in each for each in body["predictions"])


def test_a_step_that_asks_the_wrong_kind_of_model_is_told(server: Any) -> None:
    wrong = {**SPECIFICATION, "steps": [step("shapes", "instance_segmentation", POSE)], "outputs": []}
    body = {"specification": wrong, "inputs": {"image": image_input(PNG)}}
    answer = httpx.post(f"{server.url}/workflows/run", json=body, timeout=60)
    assert answer.status_code == 400
    assert f"model '{POSE}' is for keypoint-detection, not for instance-segmentation" in answer.json()["message"]


def test_the_registry_lists_the_task_of_every_model(server: Any, answered: dict[str, Any]) -> None:
    rows = httpx.get(f"{server.url}/model/registry", timeout=60).json()["models"]
    tasks = {row["model_id"]: row["task_type"] for row in rows}
    assert tasks.items() >= {
        (SEGMENTER, "instance-segmentation"),
        (POSE, "keypoint-detection"),
        (CLASSIFIER, "classification"),
    }
