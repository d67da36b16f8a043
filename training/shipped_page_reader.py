"""The shipped text detector and recognizer reading whole pictures as serving does, on the arithmetic of serving."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from deployments.models.page_reading.cutting import cut_region
from deployments.models.page_reading.layout import arrange
from deployments.models.page_reading.one_line import has_line_shape
from deployments.models.text_detection.canvas import plan_canvas
from deployments.models.text_detection.map_reading import MapReading, regions_on_map
from training.shipped_models import Bgr, Floats, ShippedRecognizer, onnx_session

SURE_FROM = 0.5  # serving's own, when the recognizer's package names no other


class ShippedTextDetector:
    """The text detector."""

    def __init__(self, package: Path) -> None:
        self._session = onnx_session(package / "weights.onnx")
        config = json.loads((package / "inference_config.json").read_text(encoding="utf-8"))
        network = config["network_input"]
        self._page_side = max(network["training_input_size"].values())
        self._divisor, self._padding = network["dynamic_spatial_size_mode"]["value"], network["padding_value"]
        self._mean, self._std = (np.array(values, np.float32) for values in network["normalization"])
        post = config["post_processing"]
        self.reading = MapReading(
            pixel_threshold=post["pixel_threshold"],
            region_threshold=post["region_threshold"],
            unclip_ratio=post["unclip_ratio"],
        )

    def maps(self, pictures: list[Bgr]) -> tuple[list[Floats], tuple[float, float]]:
        """Probability of text for each pixel of pictures of one size, and pixels of a map for one of theirs."""
        height, width = pictures[0].shape[:2]
        canvas = plan_canvas((width, height), page_side=self._page_side, divisor=self._divisor)
        laid = np.full((len(pictures), *canvas.input_hw, 3), self._padding, np.uint8)
        shown_w, shown_h = canvas.picture_wh
        filter_ = cv2.INTER_AREA if shown_w < width else cv2.INTER_LINEAR
        for place, picture in zip(laid, pictures, strict=True):
            place[:shown_h, :shown_w] = cv2.resize(picture, canvas.picture_wh, interpolation=filter_)
        values = (laid[..., ::-1].astype(np.float32) / 255 - self._mean) / self._std
        logits = self._session.run(None, {"images": np.ascontiguousarray(values.transpose(0, 3, 1, 2))})[0][:, 0]
        return [1 / (1 + np.exp(-row[:shown_h, :shown_w])) for row in logits], canvas.scale_xy

    def detect(self, pictures: list[Bgr]) -> list[Floats]:
        """Words on pictures of one size: (n, 4, 2) corners from the top left clockwise, pixels of each picture."""
        maps, scale_xy = self.maps(pictures)
        return [regions_on_map(row, self.reading).quads / np.array(scale_xy, np.float32) for row in maps]


class ShippedPageReader:
    """Both together."""

    def __init__(self, detector: ShippedTextDetector, recognizer: ShippedRecognizer) -> None:
        self._detector, self._recognizer = detector, recognizer

    def read(self, picture: Bgr) -> list[str]:
        """The lines of a picture, each with its words joined by spaces."""
        line, sure = "", 0.0
        if has_line_shape((picture.shape[1], picture.shape[0])):
            line, sure = self._recognizer.read([picture])[0]
            if sure >= SURE_FROM:
                return [line]
        quads = self._detector.detect([picture])[0]
        words = self._recognizer.read([cut_region(picture, quad) for quad in quads])
        kept = [row for row, (text, _) in enumerate(words) if text]
        lines = [line for block in arrange(quads[kept]) for line in block]
        if len(lines) <= 1 and sure >= min((words[row][1] for row in kept), default=0.0):
            return [line]
        return [" ".join(words[kept[word]][0] for word in members) for members in lines]
