"""The same pipeline as somebody writes it who has read the documentation of Ray Serve: four deployments, all defaults.

The networks are those of the cluster, with the same one thread each, so that only the composition differs.
"""

# No `from __future__ import annotations`: FastAPI reads the types of the routes.
import base64
from typing import Any

import cv2
import numpy as np
from fastapi import FastAPI, Request
from numpy.typing import NDArray
from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments.models.detection.scored_boxes import ScoredBoxes
from load_tests.baselines.plate_pipeline import cut_plates, load_plate_detector, load_plate_reader, plate_answer
from workflows.ports import PredictionOptions

Handle = DeploymentHandle[Any]

api = FastAPI()


@serve.deployment
class PlateDetector:
    """Finds plates on a photograph."""

    def __init__(self) -> None:
        self.model = load_plate_detector()

    def detect(self, pixels: NDArray[np.uint8]) -> ScoredBoxes:
        """Boxes on (h, w, 3) BGR pixels."""
        return self.model.predict_batch([pixels], [PredictionOptions()]).predictions[0]  # type: ignore[return-value]


@serve.deployment
class PlateCropper:
    """Cuts plates out."""

    def crop(self, pixels: NDArray[np.uint8], xyxy: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
        """One picture for each box."""
        return cut_plates(pixels, xyxy)


@serve.deployment
class PlateReader:
    """Reads what stands on plates."""

    def __init__(self) -> None:
        self.model = load_plate_reader()

    def read(self, crops: list[NDArray[np.uint8]]) -> list[str]:
        """One text for each crop."""
        return [page.text for page in self.model.read_batch(crops).pages]


@serve.deployment
@serve.ingress(api)
class PlateService:
    """The door: JSON in, JSON out."""

    def __init__(self, detector: Handle, cropper: Handle, reader: Handle) -> None:
        self.detector = detector
        self.cropper = cropper
        self.reader = reader

    @api.get("/healthz")
    async def healthz(self) -> dict[str, str]:
        """Nothing at all, through the proxy."""
        return {"status": "healthy"}

    @api.post("/workflows/run")
    async def run(self, request: Request) -> dict[str, Any]:
        """Plates and texts of the photograph in the body."""
        body = await request.json()
        encoded = base64.b64decode(body["inputs"]["image"]["value"])
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
        found = await self.detector.detect.remote(pixels)
        crops = await self.cropper.crop.remote(pixels, found.xyxy)
        texts = await self.reader.read.remote(crops) if crops else []
        return plate_answer(found, texts)


application = PlateService.bind(PlateDetector.bind(), PlateCropper.bind(), PlateReader.bind())  # type: ignore[attr-defined]
