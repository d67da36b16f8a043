"""A package of docTR's networks, asked over HTTP: the routes and the block answer what its predictor reads."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from deployments.ingress.single_process import create_local_app
from deployments.models.package import ModelPackage
from deployments.settings import IngressSettings
from tests.doctr.printed_page import PAGE

WORKFLOW = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [{"type": "OCRModel", "name": "reader", "image": "$inputs.image"}],
    "outputs": [{"type": "JsonField", "name": "text", "selector": "$steps.reader.result"}],
}
IMAGE = {"type": "base64", "value": base64.b64encode(cv2.imencode(".png", PAGE)[1].tobytes()).decode()}


@pytest.fixture(scope="module")
def client(package: ModelPackage) -> Iterator[TestClient]:
    app = create_local_app(package.directory, IngressSettings(), text_reader_model=package.model_id, warm=False)
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def text(predictor: Any) -> str:
    """What docTR itself reads on the page."""
    read: str = predictor([np.ascontiguousarray(PAGE[..., ::-1])]).pages[0].render()
    assert len(read.split()) > 5
    return read


def test_the_route_reads_with_the_package_that_it_names(client: TestClient, package: ModelPackage, text: str) -> None:
    answer = client.post("/doctr/ocr", json={"image": IMAGE, "doctr_version_id": package.model_id.partition("/")[2]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == text


def test_a_step_that_names_no_model_reads_with_the_chosen_text_reader(client: TestClient, text: str) -> None:
    answer = client.post("/workflows/run", json={"specification": WORKFLOW, "inputs": {"image": IMAGE}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"] == [{"text": text}]
