"""Every family from a package on disk to boxes, with ONNX Runtime, against a second decoding of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.loading import load_model
from deployments.models.package import read_package
from deployments.settings import EngineSettings
from tests.unit.deployments.models.detection import family_graphs as graphs
from tests.unit.deployments.models.detection import float64_decoding as reference
from workflows.ports import PredictionOptions

SIDE = graphs.SIDE_PX
CONFIDENCE, IOU = 0.6, 0.45
SEED = 3
"""Weights with which every family finds something, and not everything."""
NAMES = ("plate", "car", "bus")

Write = Callable[..., Path]

FAMILIES: dict[str, tuple[str | None, str, Write]] = {
    "yolov5": ("yolov5", "yolov5", graphs.write_yolov5),
    "yolov5 with its feature maps": ("yolov5", "yolov5", partial(graphs.write_yolov5, with_maps=True)),
    "yolov8": ("yolov8", "yolov8", graphs.write_yolov8),
    "yolov8 that takes batches of two": ("yolov8", "yolov8", partial(graphs.write_yolov8, batch=2)),
    "yolov8 of half numbers": ("yolov8", "yolov8", partial(graphs.write_yolov8, dtype=np.float16)),
    "yolov10": ("yolov10", "yolov10", graphs.write_yolov10),
    "yolo26": ("yolo26", "fused", graphs.write_yolov10),
    "a graph with suppression in it": ("yolov8", "fused", graphs.write_suppressing),
    "yolonas": ("yolonas", "yolonas", graphs.write_yolonas),
    "yololite": ("yololite", "yololite", graphs.write_yololite),
    "rfdetr": ("rfdetr", "rfdetr", graphs.write_rfdetr),
}
"""Name of the case -> architecture of the package, its decoding in the reference, and what writes the graph."""


def picture(width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """Blocks of random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    return np.repeat(np.repeat(blocks, 16, axis=0), 16, axis=1)[:height, :width]


PICTURES = [picture(192, 128, 1), picture(128, 192, 2)]
"""Half of each side is a whole number: then both implementations round the same pixel values."""


def load(
    directory: Path, architecture: str | None, *, fused: bool = False, resize_mode: str = "letterbox"
) -> ObjectDetectionModel:
    """The model of a folder that holds its weights already."""
    (directory / "class_names.txt").write_text("\n".join(NAMES))
    (directory / "model_config.json").write_text(json.dumps({"model_architecture": architecture}))
    network_input = {
        "training_input_size": {"height": SIDE, "width": SIDE},
        "resize_mode": resize_mode,
        "padding_value": 127,
        "scaling_factor": 255,
    }
    (directory / "inference_config.json").write_text(
        json.dumps({"network_input": network_input, "post_processing": {"type": "nms", "fused": fused}})
    )
    model = load_model(read_package(directory, "plates/1"), EngineSettings(device="cpu"))
    assert isinstance(model, ObjectDetectionModel)
    return model


def raw_outputs(path: Path, canvas: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """What the network gives for one picture, batch axis removed."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (spec,) = session.get_inputs()
    batch = canvas[None].astype(np.float16 if spec.type == "tensor(float16)" else np.float32)
    size = spec.shape[0] if isinstance(spec.shape[0], int) else 1
    values = session.run(None, {spec.name: np.repeat(batch, size, axis=0)})
    return {node.name: value[0].astype(np.float64) for node, value in zip(session.get_outputs(), values, strict=True)}


@cache
def canvas_of(number: int, family: str, *, normalized: bool) -> tuple[NDArray[np.float64], float, float, int, int]:
    """One of the pictures as the network must see it; scales and paddings in both directions."""
    image = PICTURES[number]
    height, width = image.shape[:2]
    if family == "rfdetr":
        canvas, scale_x, scale_y, left, top = reference.stretched(image, SIDE), SIDE / width, SIDE / height, 0, 0
    else:
        canvas, scale_x, left, top = reference.letterboxed(image, SIDE, 127)
        scale_y = scale_x
    if normalized:
        mean, std = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
        canvas = (canvas - mean) / std
    return canvas, scale_x, scale_y, left, top


def expected(path: Path, family: str, number: int, limit: int, *, normalized: bool = False) -> reference.Found:
    """What the second decoding finds on one of the pictures."""
    height, width = PICTURES[number].shape[:2]
    canvas, scale_x, scale_y, left, top = canvas_of(number, family, normalized=normalized)
    candidates = reference.candidates_of(family, raw_outputs(path, canvas), CONFIDENCE)
    if family in ("yolov5", "yolov8", "yolonas", "yololite"):
        candidates = reference.suppressed(candidates, IOU, limit)
    if family == "yolov10":
        candidates = candidates[:limit]
    found = reference.Found()
    for box, score, class_id in candidates:
        on_canvas = box * SIDE if family == "rfdetr" else box
        x = [min(max((value - left) / scale_x, 0), width) for value in on_canvas[[0, 2]]]
        y = [min(max((value - top) / scale_y, 0), height) for value in on_canvas[[1, 3]]]
        found.boxes.append((round(x[0]), round(y[0]), round(x[1]), round(y[1])))
        found.scores.append(float(score))
        found.classes.append(class_id)
    return found


def assert_same(boxes: ScoredBoxes, found: reference.Found) -> None:
    assert boxes.class_id.tolist() == found.classes
    assert_allclose(boxes.confidence, found.scores, rtol=1e-4)
    # A box that falls on a half to the sixth digit may round the other way in float32.
    assert_allclose(boxes.xyxy, np.array(found.boxes, dtype=float).reshape(-1, 4), atol=1)
    assert np.mean(boxes.xyxy != np.array(found.boxes).reshape(-1, 4)) < 0.02
    assert boxes.class_names == tuple(NAMES[class_id] for class_id in found.classes)


@pytest.mark.parametrize("case", FAMILIES)
def test_a_family_finds_what_its_description_says(tmp_path: Path, case: str) -> None:
    architecture, family, write = FAMILIES[case]
    weights = write(tmp_path / "weights.onnx", seed=SEED)
    model = load(tmp_path, architecture, fused=case == "a graph with suppression in it")
    for limit in (300, 4):
        options = PredictionOptions(confidence=CONFIDENCE, iou_threshold=IOU, max_detections=limit)
        answers = model.predict_batch(PICTURES, [options] * len(PICTURES)).predictions
        for number, boxes in enumerate(answers):
            found = expected(weights, family, number, limit)
            assert len(found.boxes) > 3
            assert_same(boxes, found)


@pytest.mark.parametrize("case", [case for case in FAMILIES if case != "yolov10"])
def test_a_family_is_told_by_its_outputs_alone(tmp_path: Path, case: str) -> None:
    _, family, write = FAMILIES[case]
    weights = write(tmp_path / "weights.onnx", seed=SEED)
    (tmp_path / "class_names.txt").write_text("\n".join(NAMES))
    model = load_model(read_package(tmp_path, "plates/1"), EngineSettings(device="cpu"))
    assert isinstance(model, ObjectDetectionModel)
    options = PredictionOptions(confidence=CONFIDENCE, iou_threshold=IOU)
    (boxes,) = model.predict_batch(PICTURES[:1], [options]).predictions
    found = expected(weights, family, 0, 300, normalized=family == "rfdetr")
    assert len(found.boxes) > 3
    assert_same(boxes, found)


def test_one_joined_tensor_of_yolonas_means_the_same_as_two(tmp_path: Path) -> None:
    found = []
    for joined in (False, True):
        folder = tmp_path / str(joined)
        folder.mkdir()
        graphs.write_yolonas(folder / "weights.onnx", SEED, joined=joined)
        found.append(load(folder, "yolonas").predict_batch(PICTURES, [PredictionOptions()] * 2).predictions)
    for two, one in zip(*found, strict=True):
        assert len(two) > 3
        assert_array_equal(one.xyxy, two.xyxy)
        assert_array_equal(one.confidence, two.confidence)
