"""Object detectors whose boxes can be worked out by hand, as model packages.

The reference answered with these networks, so its boxes are ours to the last digit. They are YOLOv8 heads without a
trunk: class 0 `license-plate` fires on magenta areas, class 1 `vehicle` on cyan ones, the score is the squared mean of
the colour in a window (64x24, 96x96, 160x160 px of a 640 px input, half of that at 320).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CLASSES = ("license-plate", "vehicle")
HEADS = ((8, (8, 3), 0), (16, (12, 12), 1), (32, (20, 20), 1))
"""For each: stride in pixels of the input, window in cells (80 a side; width, height), class that fires."""


class Graph:
    """Collects the nodes and constants of a network."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic] | np.generic) -> str:
        """Name of a constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def apply(self, operation: str, *inputs: str, **attributes: object) -> str:
        """Name of what an operation gives."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [name], **attributes))
        return name


def write_detector_package(directory: Path, model_id: str, side_px: int, resize_mode: str = "letterbox") -> None:
    """A model package, in the layout with `model_config.json`, of a detector with a square input."""
    directory.mkdir(parents=True)
    onnx.save(_network(side_px), directory / "weights.onnx")
    (directory / "class_names.txt").write_text("\n".join(CLASSES) + "\n")
    (directory / "model_config.json").write_text(
        json.dumps(
            {
                "model_architecture": "yolov8",
                "task_type": "object-detection",
                "backend_type": "onnx",
                "model_id": model_id,
            }
        )
    )
    (directory / "inference_config.json").write_text(
        json.dumps(
            {
                "image_pre_processing": {"auto-orient": {"enabled": True}},
                "network_input": {
                    "training_input_size": {"height": side_px, "width": side_px},
                    "dynamic_spatial_size_supported": False,
                    "color_mode": "rgb",
                    "resize_mode": resize_mode,
                    "padding_value": 127 if resize_mode == "letterbox" else None,
                    "input_channels": 3,
                    "scaling_factor": 255,
                    "normalization": None,
                },
                "forward_pass": {"static_batch_size": None, "max_dynamic_batch_size": 8},
                "post_processing": {"type": "nms", "fused": False},
            }
        )
    )


def _network(side_px: int) -> onnx.ModelProto:
    graph = Graph()
    unit_px = side_px // 80
    colours = np.array([[0.5, -1.0, 0.5], [-1.0, 0.5, 0.5]], np.float32).reshape(2, 3, 1, 1)  # magenta, cyan
    colour = graph.apply("Conv", "images", graph.constant(colours), kernel_shape=[1, 1])
    colour = graph.apply("Clip", colour, graph.constant(np.float32(0)), graph.constant(np.float32(1)))
    cells = graph.apply("AveragePool", colour, kernel_shape=[unit_px, unit_px], strides=[unit_px, unit_px])
    heads = [
        _head(graph, cells, side_px // stride_px, stride_px // unit_px, window, unit_px, class_id)
        for stride_px, window, class_id in HEADS
    ]
    scores = graph.apply("Concat", *(score for score, _ in heads), axis=2)
    boxes = graph.constant(np.concatenate([box for _, box in heads], axis=1)[None])
    first = graph.apply("Slice", scores, *(graph.constant(np.array([value])) for value in (0, 1, 1)))
    # A constant has no batch: what is added is zero, and gives it one.
    none = graph.apply("Mul", first, graph.constant(np.float32(0)))
    joined = graph.apply("Concat", graph.apply("Add", boxes, none), scores, axis=1)
    graph.nodes.append(helper.make_node("Identity", [joined], ["output0"]))
    anchors = sum(box.shape[1] for _, box in heads)
    described = helper.make_graph(
        graph.nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, side_px, side_px])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 4 + len(CLASSES), anchors])],
        graph.constants,
    )
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def _head(
    graph: Graph, cells: str, count: int, step: int, window: tuple[int, int], unit_px: int, class_id: int
) -> tuple[str, NDArray[np.float32]]:
    """Scores and boxes of one stride.

    Returns:
        Name of the scores (batch, classes, count²), and boxes (4, count²): centre x, centre y, width, height in pixels.
    """
    width, height = window
    left, top = (width - step) // 2, (height - step) // 2
    mean = graph.apply(
        "AveragePool",
        cells,
        kernel_shape=[height, width],
        strides=[step, step],
        pads=[top, left, height - step - top, width - step - left],
        count_include_pad=1,
    )
    only = np.zeros((1, len(CLASSES), 1, 1), np.float32)
    only[0, class_id] = 1
    score = graph.apply("Mul", graph.apply("Mul", mean, mean), graph.constant(only))
    score = graph.apply("Reshape", score, graph.constant(np.array([0, len(CLASSES), -1], np.int64)))
    centre_y, centre_x = np.meshgrid(
        (np.arange(count) * step - top + height / 2) * unit_px,
        (np.arange(count) * step - left + width / 2) * unit_px,
        indexing="ij",
    )
    sides = (np.full(count * count, width * unit_px), np.full(count * count, height * unit_px))
    return score, np.stack([centre_x.ravel(), centre_y.ravel(), *sides]).astype(np.float32)
