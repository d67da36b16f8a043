"""Sends what the vendor's SDK sent to the reference, and compares status and outline of the answers."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

HERE = Path(__file__).parent / "sdk-1.8.3"
NO_EXCHANGES = {"differences", "openapi_paths"}
RECORDINGS = {
    path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json")) if path.stem not in NO_EXCHANGES
}
DIFFERENCES: dict[str, dict[str, Any]] = json.loads((HERE / "differences.json").read_text())
STANDING_HEADERS = ("x-request-id", "x-inference-engine", "x-model-cold-start", "x-model-cold-start-count")
PLACEHOLDER = re.compile(r"<(base64 \d+ chars|\d+ bytes of)")


WITHOUT_PLATE = {"workflow_empty_detections"}


def photo(*, plate: bool) -> str:
    """A JPEG of 1280 x 720 in base64, with a magenta area where the recordings' picture had its plate, or without."""
    pixels = np.full((720, 1280, 3), 90, dtype=np.uint8)
    if plate:
        pixels[328:376, 352:480] = (255, 0, 255)
    return base64.b64encode(cv2.imencode(".jpg", pixels)[1].tobytes()).decode()


def with_photo(node: Any, text: str) -> Any:
    """A recorded request with the photo where a picture was left out."""
    if isinstance(node, dict):
        return {key: with_photo(value, text) for key, value in node.items()}
    if isinstance(node, list):
        return [with_photo(value, text) for value in node]
    return text if isinstance(node, str) and PLACEHOLDER.match(node) else node


def send(url: str, request: dict[str, Any], *, plate: bool = True) -> httpx.Response:
    """The answer to a recorded request."""
    body = with_photo(request["body"], photo(plate=plate))
    headers = {name: value for name, value in request["headers"].items() if name == "Content-Type"}
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return httpx.request(
        request["method"], url + request["path"], params=request["query"], headers=headers, content=content, timeout=60
    )


def outline_differences(want: Any, got: Any, free: list[str], path: str = "$") -> list[str]:
    """Where keys or types differ; of lists, only the first elements are looked at."""
    if path in free:
        return []
    if isinstance(want, dict) and isinstance(got, dict):
        missing = [f"{path}.{key}: missing" for key in want if key not in got and f"{path}.{key}" not in free]
        unexpected = [f"{path}.{key}: unexpected" for key in got if key not in want]
        inner = [
            line
            for key in want
            if key in got
            for line in outline_differences(want[key], got[key], free, f"{path}.{key}")
        ]
        return missing + unexpected + inner
    if isinstance(want, list) and isinstance(got, list):
        return outline_differences(want[0], got[0], free, f"{path}[]") if want and got else []
    if json_type(want) != json_type(got):
        return [f"{path}: expected {json_type(want)}, got {json_type(got)}"]
    return []


def only_models_of(recorded: Any, body: Any) -> Any:
    """A list of loaded models without those that other tests had loaded."""
    if not (isinstance(recorded, dict) and "models" in recorded):
        return body
    known = {model["model_id"] for model in recorded["models"]}
    return body | {"models": [model for model in body["models"] if model["model_id"] in known]}


def json_type(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_request_of_the_sdk_gets_an_answer_of_the_recorded_outline(name, served_url):
    difference = DIFFERENCES.get(name, {})
    for exchange in RECORDINGS[name]["exchanges"]:
        recorded = exchange["response"]
        answer = send(served_url, exchange["request"], plate=name not in WITHOUT_PLATE)
        if "status" in difference:
            assert answer.status_code == difference["status"]
            continue
        assert answer.status_code == recorded["status"], answer.text[:500]
        body = only_models_of(recorded["body"], answer.json())
        found = outline_differences(recorded["body"], body, difference.get("free", []))
        assert found == []
        assert [header for header in STANDING_HEADERS if header not in answer.headers] == []
        assert answer.headers["x-inference-engine"] == recorded["headers"]["x-inference-engine"]
        if "x-model-id" in recorded["headers"]:
            assert answer.headers["x-model-id"] == recorded["headers"]["x-model-id"]


def test_a_detection_is_the_recorded_one(served_url):
    recorded = RECORDINGS["infer_v0"]["exchanges"][0]["response"]["body"]["predictions"][0]
    answer = send(served_url, RECORDINGS["infer_v0"]["exchanges"][0]["request"])
    (found,) = answer.json()["predictions"]
    assert {key: found[key] for key in ("x", "y", "width", "height", "class", "class_id")} == {
        key: recorded[key] for key in ("x", "y", "width", "height", "class", "class_id")
    }


def test_every_difference_on_purpose_names_a_recording():
    assert set(DIFFERENCES) <= set(RECORDINGS)
