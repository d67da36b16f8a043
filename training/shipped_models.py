"""The shipped packages run as serving runs them, with onnxruntime, OpenCV and numpy alone: what evaluation measures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Bgr = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 640
IOU_THRESHOLD = 0.3
PADDED_PX = (200, 40)


def onnx_session(weights: Path) -> onnxruntime.InferenceSession:
    """A graph on one thread that does not spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def suppress(xyxy: Floats, score: Floats) -> NDArray[np.int64]:
    """Rows that survive greedy non-maximum suppression, best first."""
    order, kept = np.argsort(-score, kind="stable"), []
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(1)
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        low, high = np.maximum(xyxy[first, :2], xyxy[rest, :2]), np.minimum(xyxy[first, 2:], xyxy[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        order = rest[shared <= IOU_THRESHOLD * (area[first] + area[rest] - shared)]
    return np.array(kept, np.int64)


class ShippedDetector:
    """The plate detector."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self._session = onnx_session(package / "weights.onnx")
        self._padding = json.loads((package / "inference_config.json").read_text())["network_input"]["padding_value"]

    def detect(self, bgr: Bgr, confidence: float, side: int = SIDE) -> tuple[Floats, Floats]:
        """(n, 4) xyxy in whole pixels of the picture, clipped to it, and (n,) scores, best first."""
        height, width = bgr.shape[:2]
        scale = min(side / width, side / height)
        new_w, new_h = int(width * scale), int(height * scale)
        left, top = int((side - new_w) / 2), int((side - new_h) / 2)
        canvas = np.full((side, side, 3), self._padding, np.uint8)
        canvas[top : top + new_h, left : left + new_w] = cv2.resize(bgr, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
        images = np.ascontiguousarray(canvas[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255)
        output = self._session.run(None, {"images": images})[0][0].T
        output = output[output[:, 4] > confidence]
        xyxy = np.concatenate([output[:, :2] - output[:, 2:4] / 2, output[:, :2] + output[:, 2:4] / 2], 1)
        kept = suppress(xyxy, output[:, 4])
        xyxy = (xyxy[kept] - np.array([left, top, left, top], np.float32)) / scale
        limits = np.array([width, height, width, height], np.float32)
        return np.round(np.clip(xyxy, 0, limits)).astype(np.float32), output[kept, 4]


class ShippedRecognizer:
    """The text recognizer."""

    def __init__(self, package: Path) -> None:
        self._session = onnx_session(package / "weights.onnx")
        config = json.loads((package / "inference_config.json").read_text(encoding="utf-8"))
        size, normalization = config["network_input"]["training_input_size"], config["network_input"]["normalization"]
        self._input_wh = (size["width"], size["height"])
        self._mean, self._std = (np.array(values, np.float32) for values in normalization)
        self._vocabulary = config["vocabulary"]

    def read(self, crops: list[Bgr]) -> list[tuple[str, float]]:
        """Text and confidence of each crop; confidence is the smallest over the steps, 0 where nothing was read."""
        if not crops:
            return []
        images = (
            np.stack([self._stretch(crop) for crop in crops])[..., ::-1].astype(np.float32) / 255 - self._mean
        ) / self._std
        logits = self._session.run(["logits"], {"crops": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0]
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        best, sure = odds.argmax(-1), (odds.max(-1) / odds.sum(-1)).min(-1)
        read = [(self._collapse(row), float(least)) for row, least in zip(best, sure, strict=True)]
        return [(text, least if text else 0.0) for text, least in read]

    def _stretch(self, crop: Bgr) -> Bgr:
        shrinks = crop.shape[1] > self._input_wh[0] or crop.shape[0] > self._input_wh[1]
        return cv2.resize(crop, self._input_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

    def _collapse(self, classes: NDArray[np.int64]) -> str:
        changed = np.concatenate([[True], classes[1:] != classes[:-1]])
        return "".join(self._vocabulary[c] for c in classes[changed] if c < len(self._vocabulary))


def padded_crops(bgr: Bgr, xyxy: Floats, padded_px: tuple[int, int] = PADDED_PX) -> list[Bgr]:
    """Crops of boxes that were grown by `padded_px` in all and clipped to the picture."""
    height, width = bgr.shape[:2]
    across, down = padded_px[0] // 2, padded_px[1] // 2
    grown = xyxy + np.array([-across, -down, across, down], np.float32)
    x0, y0, x1, y1 = np.clip(grown, 0, np.array([width, height, width, height])).astype(int).T
    crops = [bgr[top:bottom, left:right] for left, top, right, bottom in zip(x0, y0, x1, y1, strict=True)]
    return [crop for crop in crops if crop.size]
