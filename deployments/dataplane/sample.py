"""The first request of every server: the tutorial's workflow on the sample photograph.

This module is light: the launcher needs it before anything heavy is imported.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SAMPLE_PATH = Path(__file__).parents[1] / "models" / "shipped" / "samples" / "car.jpg"
TEXTS = "recognised_plates"

TUTORIAL: Mapping[str, Any] = {
    "version": "1.0",
    "inputs": [{"type": "InferenceImage", "name": "image"}],
    "steps": [
        {
            "type": "ObjectDetectionModel",
            "name": "plates_detector",
            "image": "$inputs.image",
            "model_id": "vehicle-registration-plates-trudk/2",
        },
        {
            "type": "DetectionOffset",
            "name": "offset",
            "predictions": "$steps.plates_detector.predictions",
            "offset_x": 200,
            "offset_y": 40,
        },
        {
            "type": "Crop",
            "name": "cropping",
            "image": "$inputs.image",
            "detections": "$steps.offset.predictions",
        },
        {"type": "OCRModel", "name": "step_ocr", "image": "$steps.cropping.crops"},
    ],
    "outputs": [
        {"type": "JsonField", "name": "predictions", "selector": "$steps.plates_detector.predictions"},
        {"type": "JsonField", "name": "image", "selector": "$steps.plates_detector.image"},
        {"type": "JsonField", "name": TEXTS, "selector": "$steps.step_ocr.result"},
        {"type": "JsonField", "name": "crops", "selector": "$steps.cropping.crops"},
    ],
}
"""The definition of the vendor's tutorial, verbatim."""

CUT_OUT_XYXY = (519, 506, 971, 612)
"""The box that the shipped detector finds on the photograph, grown by the tutorial's offset."""

# A still grey picture with one bright box: enough to run every model once when the sample is not there.
BLANK_WH = (640, 480)


def sample_photograph() -> bytes:
    """The photograph that comes with the project, else a picture made on the spot; JPEG."""
    if SAMPLE_PATH.is_file():
        return SAMPLE_PATH.read_bytes()
    import numpy as np

    from workflows.values.image_codec import encode_jpeg

    pixels = np.full((BLANK_WH[1], BLANK_WH[0], 3), 96, dtype=np.uint8)
    pixels[220:260, 260:380] = 240
    return encode_jpeg(pixels)


def sample_cut_out() -> bytes:
    """The piece of that photograph around its plate, as large as the tutorial cuts it; JPEG."""
    from workflows.values.image_codec import decode_pixels, encode_jpeg

    left, top, right, bottom = CUT_OUT_XYXY
    return encode_jpeg(decode_pixels(sample_photograph())[top:bottom, left:right].copy())


def sample_request() -> dict[str, Any]:
    """Body of a request to `/workflows/run`; the pictures are left out of its answer."""
    return {
        "specification": TUTORIAL,
        "inputs": {"image": {"type": "base64", "value": base64.b64encode(sample_photograph()).decode()}},
        "excluded_fields": ["image", "crops"],
    }


def texts_read(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Texts in the outputs of the tutorial's workflow."""
    return [text for element in outputs for text in element[TEXTS] or () if text]
