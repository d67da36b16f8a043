"""Workflows for the tests of capacity."""

from __future__ import annotations

from typing import Any

TUTORIAL: dict[str, Any] = {
    "version": "1.0",
    "inputs": [
        {"type": "InferenceImage", "name": "image"},
        {"type": "InferenceParameter", "name": "model"},
        {"type": "InferenceParameter", "name": "other", "default_value": "cars/1"},
    ],
    "steps": [
        {"type": "ObjectDetectionModel", "name": "detect", "image": "$inputs.image", "model_id": "plates/2"},
        {"type": "Crop", "name": "crop", "image": "$inputs.image", "detections": "$steps.detect.predictions"},
        {"type": "OCRModel", "name": "read", "image": "$steps.crop.crops"},
    ],
    "outputs": [{"type": "JsonField", "name": "text", "selector": "$steps.read.result"}],
}


def with_steps(*steps: dict[str, Any]) -> dict[str, Any]:
    """The same workflow with further steps."""
    return {**TUTORIAL, "steps": [*TUTORIAL["steps"], *steps]}


def asking(model_id: str, image: str = "$inputs.image") -> dict[str, Any]:
    """A further step that asks a model."""
    return {"type": "ObjectDetectionModel", "name": "also", "image": image, "model_id": model_id}
