"""From a scenario's question to the requests that go over the wire."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deployments.dataplane.sample import TUTORIAL, sample_cut_out
from load_tests.http_connection import encode_request
from load_tests.pictures import photograph
from load_tests.scenario import TUTORIAL as TUTORIAL_NAME
from load_tests.scenario import Question
from load_tests.scenario_files import read_definition
from load_tests.target import RunningTarget

WORKFLOW_ROUTE = "/workflows/run"
DETECTION_ROUTE = "/infer/object_detection"
LEFT_OUT = ("image", "crops")
"""Outputs of the tutorial that are pictures; nobody who wants speed asks for them back."""


def requests_of(question: Question, target: RunningTarget, seed: int) -> Iterator[bytes]:
    """Whole requests without end: models in turn, pictures drawn by their shares.

    Args:
        question: what is asked.
        target: who is asked.
        seed: of the drawing.
    """
    if question.get is not None:
        request = encode_request(target.url, "GET", target.paths.get(question.get, question.get), target.headers)
        while True:
            yield request
    counts = sorted(question.pictures.plates)
    shares = np.array([question.pictures.plates[count] for count in counts])
    route = WORKFLOW_ROUTE if question.workflow is not None else DETECTION_ROUTE
    models = [target.models.get(model, model) for model in question.models] if question.models else [None]
    # Encoded beforehand: while the clock runs, a request is only written.
    asked = [
        [_post(target, route, body_of(question, model, target.photograph or photograph(plates))) for plates in counts]
        for model in models
    ]
    random = np.random.default_rng(seed)
    turn = 0
    while True:
        for drawn in random.choice(len(counts), size=1024, p=shares / shares.sum()).tolist():
            yield asked[turn % len(asked)][drawn]
            turn += 1


def body_of(question: Question, model: str | None, jpeg: bytes) -> dict[str, Any]:
    """The JSON of one request."""
    image: Any = _encoded(jpeg)
    if model is not None:
        return {"model_id": model, "image": image}
    if question.cut_outs is not None:
        image = [_encoded(sample_cut_out())] * question.cut_outs
    definition, left_out = _definition(question)
    takes_image = any(entry.get("name") == "image" for entry in definition["inputs"])
    return {
        "specification": definition,
        "inputs": {"image": image} if takes_image else {},
        "excluded_fields": left_out,
    }


def _encoded(jpeg: bytes) -> dict[str, str]:
    return {"type": "base64", "value": base64.b64encode(jpeg).decode()}


def _definition(question: Question) -> tuple[Mapping[str, Any], list[str]]:
    if question.workflow in (None, TUTORIAL_NAME):
        return TUTORIAL, list(LEFT_OUT)
    return read_definition(Path(question.workflow or "")), []


def _post(target: RunningTarget, route: str, body: Mapping[str, Any]) -> bytes:
    headers = {"Content-Type": "application/json", **target.headers}
    return encode_request(target.url, "POST", target.paths.get(route, route), headers, json.dumps(body).encode())
