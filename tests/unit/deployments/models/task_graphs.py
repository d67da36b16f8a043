"""Networks of the tasks beyond detection, as model packages: the random trunk of the families with other heads.

They find nothing sensible: objects of every size with masks of every shape and points everywhere, on 96x96 pixels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.deployments.models.detection.family_graphs import ANCHORS, CLASSES, FIELDS, SIDE_PX, FamilyGraph

MASKS = 8
GRID = SIDE_PX // 4
POINTS = 4
NAMES = ("red", "green", "blue")
SKELETON = {str(index): f"point-{index}" for index in range(POINTS)}


class TaskGraph(FamilyGraph):
    """The trunk and the heads of other tasks."""

    def mixture(self, joined: str, rows: int, spread: float) -> str:
        """(b, rows, n) random mixtures of everything that is known of an anchor."""
        return self.apply("MatMul", self.number(self._random.normal(0, spread / FIELDS**0.5, (rows, FIELDS))), joined)

    def prototypes(self, images: str) -> str:
        """(b, m, h, w) a quarter of the canvas in size."""
        return self.apply("Tanh", self.convolution(images, (3, MASKS), 4, 4, 6.0))


def write_segmenter(directory: Path, model_id: str, seed: int = 1) -> Path:
    """YOLOv8-seg."""
    graph = TaskGraph(seed)
    parts = graph.predictions("images")
    coefficients = graph.mixture(parts["joined"], MASKS, 3.0)
    scores = graph.apply("Sigmoid", parts["classes"])
    joined = graph.apply("Concat", parts["centres"], parts["sizes"], scores, coefficients, axis=1)
    outputs = {
        "output0": (joined, (4 + CLASSES + MASKS, ANCHORS)),
        "output1": (graph.prototypes("images"), (MASKS, GRID, GRID)),
    }
    return _package(directory, model_id, "instance-segmentation", graph, outputs)


def write_pose(directory: Path, model_id: str, seed: int = 2) -> Path:
    """YOLOv8-pose; every class has the same key points."""
    graph = TaskGraph(seed)
    parts = graph.predictions("images")
    ones = graph.number(np.tile([[1.0], [1.0], [0.0]], (POINTS, 1))[None])
    offsets = graph.apply("Mul", graph.mixture(parts["joined"], 3 * POINTS, 8.0), ones)
    zeros = graph.apply("Mul", parts["objectness"], graph.number(0.0))
    centres = graph.apply("Concat", *[parts["centres"], zeros] * POINTS, axis=1)
    surety = graph.apply("Sigmoid", graph.mixture(parts["joined"], 3 * POINTS, 2.0))
    score = graph.apply("Mul", surety, graph.number(np.tile([[0.0], [0.0], [1.0]], (POINTS, 1))[None]))
    points = graph.apply("Add", graph.apply("Add", centres, offsets), score)
    scores = graph.apply("Sigmoid", parts["classes"])
    joined = graph.apply("Concat", parts["centres"], parts["sizes"], scores, points, axis=1)
    outputs = {"output0": (joined, (4 + CLASSES + 3 * POINTS, ANCHORS))}
    _package(directory, model_id, "keypoint-detection", graph, outputs)
    described = [{"object_class_id": each, "keypoints": SKELETON, "edges": []} for each in range(CLASSES)]
    (directory / "keypoints_metadata.json").write_text(json.dumps(described))
    return directory


def write_classifier(directory: Path, model_id: str, *, multi_label: bool = False) -> Path:
    """Logits of a class for each channel, six times how bright it is against a half."""
    graph = TaskGraph(0)
    means = graph.apply("Flatten", graph.apply("GlobalAveragePool", "images"))
    logits = graph.apply("Mul", graph.apply("Sub", means, graph.number(0.5)), graph.number(6.0))
    task_type = "multi-label-classification" if multi_label else "classification"
    post_processing = {"type": "sigmoid" if multi_label else "softmax", "fused": False}
    return _package(directory, model_id, task_type, graph, {"output0": (logits, (3,))}, post_processing)


def _package(
    directory: Path,
    model_id: str,
    task_type: str,
    graph: TaskGraph,
    outputs: dict[str, tuple[str, tuple[int, ...]]],
    post_processing: dict[str, Any] | None = None,
) -> Path:
    directory.mkdir(parents=True)
    graph.write(directory / "weights.onnx", outputs, "batch")
    (directory / "class_names.txt").write_text("\n".join(NAMES) + "\n")
    config = {"model_id": model_id, "task_type": task_type, "model_architecture": "yolov8", "backend_type": "onnx"}
    (directory / "model_config.json").write_text(json.dumps(config))
    network_input = {
        "training_input_size": {"height": SIDE_PX, "width": SIDE_PX},
        "resize_mode": "letterbox",
        "padding_value": 127,
        "scaling_factor": 255,
    }
    inference = {"network_input": network_input, "post_processing": post_processing or {}}
    (directory / "inference_config.json").write_text(json.dumps(inference))
    return directory
