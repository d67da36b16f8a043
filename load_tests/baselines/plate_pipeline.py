"""The work of the tutorial's workflow as plain calls, nothing around it: what any server has to spend on a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deployments.dataplane.compute import as_image_model, as_text_reader
from deployments.dataplane.sample import TEXTS, TUTORIAL
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.image_model import ImageModel
from deployments.models.loading import load_model
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.models.page_reading.text_reader import TextReader
from deployments.settings import DEFAULT_TEXT_READER, EngineSettings
from workflows.geometry.boxes import clip_boxes, grow_boxes, rounded_corners
from workflows.values.image import Pixels

ONE_THREAD = EngineSettings(idle_threads=1)
_DETECT, _OFFSET = TUTORIAL["steps"][:2]


def load_plate_detector() -> ImageModel:
    """The shipped detector of plates, with one thread."""
    cv2.setNumThreads(1)
    return as_image_model(load_model(discover_packages(SHIPPED_DIRECTORY)[_DETECT["model_id"]], ONE_THREAD))


def load_plate_reader() -> TextReader:
    """The shipped reader of text, with one thread."""
    cv2.setNumThreads(1)
    packages = discover_packages(SHIPPED_DIRECTORY)
    return as_text_reader(load_model(packages[DEFAULT_TEXT_READER], ONE_THREAD, packages))


def cut_plates(pixels: Pixels, xyxy: NDArray[np.float32]) -> list[Pixels]:
    """What the steps `offset` and `cropping` cut out of a photograph.

    Args:
        pixels: (h, w, 3).
        xyxy: (n, 4) corners of plates, pixels.

    Returns:
        New arrays; boxes without area give none.
    """
    height, width = pixels.shape[:2]
    grown = grow_boxes(xyxy.astype(np.float64), _OFFSET["offset_x"] // 2, _OFFSET["offset_y"] // 2)
    windows = rounded_corners(clip_boxes(grown, (width, height)))
    cut = (np.ascontiguousarray(pixels[top:bottom, left:right]) for left, top, right, bottom in windows)
    return [crop for crop in cut if crop.size]


def plate_answer(found: ScoredBoxes, texts: Sequence[str]) -> dict[str, Any]:
    """What is answered, in about as many words as a server of workflows uses for it."""
    boxes = [
        {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "width": x2 - x1, "height": y2 - y1, "confidence": sure, "class": name}
        for (x1, y1, x2, y2), sure, name in zip(
            found.xyxy.tolist(), found.confidence.tolist(), found.class_names, strict=True
        )
    ]
    return {"outputs": [{"predictions": {"predictions": boxes}, TEXTS: list(texts)}]}
