import base64
import json

import cv2
import httpx
import numpy as np
import pytest

from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.settings import IngressSettings
from tests.unit.deployments.fake_backend import FakeBackend

SPECIFICATION = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [
        {"type": "ObjectDetectionModel", "name": "detector", "image": "$inputs.image", "model_id": "plates/1"},
        {"type": "Crop", "name": "crop", "image": "$inputs.image", "predictions": "$steps.detector.predictions"},
        {"type": "OCRModel", "name": "reader", "image": "$steps.crop.crops"},
    ],
    "outputs": [
        {"type": "JsonField", "name": "predictions", "selector": "$steps.detector.predictions"},
        {"type": "JsonField", "name": "texts", "selector": "$steps.reader.result"},
    ],
}


@pytest.fixture
def specification():
    return json.loads(json.dumps(SPECIFICATION))


@pytest.fixture
def png():
    """A picture of 10 x 5 black pixels."""
    return cv2.imencode(".png", np.zeros((5, 10, 3), dtype=np.uint8))[1].tobytes()


@pytest.fixture
def image(png):
    """The picture as clients send it."""
    return {"type": "base64", "value": base64.b64encode(png).decode()}


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "plates.json").write_text(json.dumps(SPECIFICATION))
    return IngressSettings(workflows_dir=tmp_path, max_body_bytes=100_000, max_images=3, max_steps=10)


@pytest.fixture
async def client(backend, settings):
    service = WorkflowService(backend, settings)
    transport = httpx.ASGITransport(app=create_app(lambda: service))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client
