"""Networks in the layout of every family: a small convolutional trunk with seeded random weights, as ONNX files.

They find nothing sensible, and boxes of every size with scores of every height, on 96x96 pixels: 189 anchors of strides
8, 16 and 32, three classes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.conformance.detector_packages import Graph

SIDE_PX = 96
CLASSES = 3
STRIDES = (8, 16, 32)
ANCHORS = sum((SIDE_PX // stride) ** 2 for stride in STRIDES)
CHOSEN = 40
"""Rows of a graph that chooses its boxes itself."""
FIELDS = 5 + CLASSES
BOXES_A_CELL = 3
"""Of YOLOv5."""


class FamilyGraph(Graph):
    """The common trunk, and the parts that families are made of."""

    def __init__(self, seed: int, dtype: type[np.floating] = np.float32) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)
        self._dtype = dtype

    def number(self, value: float | NDArray[np.floating]) -> str:
        """Name of a constant in the type of the network."""
        return self.constant(np.asarray(value, dtype=self._dtype))

    def whole(self, *values: int) -> str:
        """Name of a constant of whole numbers."""
        return self.constant(np.array(values, dtype=np.int64))

    def convolution(self, source: str, channels: tuple[int, int], size: int, stride: int, spread: float) -> str:
        """Random weights: what comes in has `channels[0]`, what goes out `channels[1]` channels."""
        into, out = channels
        weights = self._random.normal(0, spread / np.sqrt(into * size * size), (out, into, size, size))
        bias = self._random.normal(0, 0.3, out)
        pad = (size - 1) // 2
        return self.apply(
            "Conv",
            source,
            self.number(weights),
            self.number(bias),
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def cut(self, source: str, start: int, end: int, axis: int) -> str:
        """Part of an axis."""
        return self.apply("Slice", source, self.whole(start), self.whole(end), self.whole(axis))

    def predictions(self, images: str, boxes_a_cell: int = 1) -> dict[str, str]:
        """Centres, sizes, objectness and class logits (b, k, n) of all anchors, and all of them as they were."""
        features = self.apply("Relu", self.convolution(images, (3, 8), 4, 4, 2.0))
        maps = []
        for position, stride in enumerate(STRIDES):
            channels = (8 if position == 0 else 16, 16)
            features = self.apply("Relu", self.convolution(features, channels, 2, 2, 1.6))
            cells = SIDE_PX // stride
            head = self.convolution(features, (16, FIELDS * boxes_a_cell), 1, 1, 2.0)
            maps.append(self.apply("Reshape", head, self.whole(0, FIELDS, cells * cells * boxes_a_cell)))
        joined = self.apply("Concat", *maps, axis=2)
        grid, stride = self._grid(boxes_a_cell)
        inside = self.apply("Sigmoid", self.cut(joined, 0, 2, 1))
        centres = self.apply("Mul", self.apply("Add", inside, self.number(grid)), self.number(stride))
        relative = self.apply("Mul", self.apply("Sigmoid", self.cut(joined, 2, 4, 1)), self.number(4.0))
        return {
            "centres": centres,
            "sizes": self.apply("Mul", relative, self.number(stride)),
            "objectness": self.cut(joined, 4, 5, 1),
            "classes": self.cut(joined, 5, FIELDS, 1),
            "joined": joined,
        }

    def corners(self, parts: dict[str, str]) -> str:
        """(b, n, 4) left, top, right, bottom."""
        half = self.apply("Mul", parts["sizes"], self.number(0.5))
        both = [self.apply(operation, parts["centres"], half) for operation in ("Sub", "Add")]
        return self.rows(self.apply("Concat", *both, axis=1))

    def rows(self, source: str) -> str:
        """(b, n, k) of (b, k, n)."""
        return self.apply("Transpose", source, perm=[0, 2, 1])

    def write(self, path: Path, outputs: dict[str, tuple[str, tuple[int, ...]]], batch: int | str) -> Path:
        """Save the graph; `outputs` are names to the tensor and its shape without the batch."""
        element = helper.np_dtype_to_tensor_dtype(np.dtype(self._dtype))
        for name, (tensor, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        graph = helper.make_graph(
            self.nodes,
            "detector",
            [helper.make_tensor_value_info("images", element, [batch, 3, SIDE_PX, SIDE_PX])],
            [helper.make_tensor_value_info(name, element, [batch, *shape]) for name, (_, shape) in outputs.items()],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        return path

    def _grid(self, boxes_a_cell: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(1, 2, n) column and row of each cell, and (1, 1, n) its stride."""
        grids, strides = [], []
        for stride in STRIDES:
            cells = SIDE_PX // stride
            row, column = np.meshgrid(np.arange(cells), np.arange(cells), indexing="ij")
            grids.append(np.tile(np.stack([column.ravel(), row.ravel()]), boxes_a_cell))
            strides.append(np.full(cells * cells * boxes_a_cell, stride))
        return np.concatenate(grids, axis=1)[None].astype(float), np.concatenate(strides)[None, None].astype(float)


def write_yolov8(path: Path, seed: int, batch: int | str = "batch", dtype: type[np.floating] = np.float32) -> Path:
    """One tensor, a column for each anchor."""
    graph = FamilyGraph(seed, dtype)
    parts = graph.predictions("images")
    scores = graph.apply("Sigmoid", parts["classes"])
    joined = graph.apply("Concat", parts["centres"], parts["sizes"], scores, axis=1)
    return graph.write(path, {"output0": (joined, (4 + CLASSES, ANCHORS))}, batch)


def write_yolov5(path: Path, seed: int, batch: int | str = "batch", *, with_maps: bool = False) -> Path:
    """One tensor, a row for each of three anchors a cell; feature maps behind it as older exporters left them."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images", BOXES_A_CELL)
    scores = [graph.apply("Sigmoid", parts[name]) for name in ("objectness", "classes")]
    joined = graph.rows(graph.apply("Concat", parts["centres"], parts["sizes"], *scores, axis=1))
    outputs = {"output": (joined, (ANCHORS * BOXES_A_CELL, FIELDS))}
    if with_maps:
        start = 0
        for stride in STRIDES:
            cells = SIDE_PX // stride
            shape = (BOXES_A_CELL, cells, cells, FIELDS)
            part = graph.rows(graph.cut(parts["joined"], start, start + cells * cells * BOXES_A_CELL, 2))
            outputs[f"stride{stride}"] = (graph.apply("Reshape", part, graph.whole(0, *shape)), shape)
            start += cells * cells * BOXES_A_CELL
    return graph.write(path, outputs, batch)


def write_yolonas(path: Path, seed: int, batch: int | str = "batch", *, joined: bool = False) -> Path:
    """Corners and scores, in two tensors or in one."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images")
    corners, scores = graph.corners(parts), graph.rows(graph.apply("Sigmoid", parts["classes"]))
    if joined:
        both = graph.apply("Concat", corners, scores, axis=2)
        return graph.write(path, {"output0": (both, (ANCHORS, 4 + CLASSES))}, batch)
    outputs = {"scores": (scores, (ANCHORS, CLASSES)), "boxes": (corners, (ANCHORS, 4))}
    return graph.write(path, outputs, batch)


def write_yololite(path: Path, seed: int, batch: int | str = "batch") -> Path:
    """Corners, objectness and class scores, the last two as logits."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images")
    outputs = {
        "boxes": (graph.corners(parts), (ANCHORS, 4)),
        "objectness": (graph.rows(parts["objectness"]), (ANCHORS, 1)),
        "classes": (graph.rows(parts["classes"]), (ANCHORS, CLASSES)),
    }
    return graph.write(path, outputs, batch)


def write_rfdetr(
    path: Path, seed: int, batch: int | str = "batch", names: tuple[str, str] = ("dets", "labels")
) -> Path:
    """Boxes in fractions of the canvas and logits; the class behind the last means that there is nothing."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images")
    fractions = graph.apply(
        "Mul", graph.apply("Concat", parts["centres"], parts["sizes"], axis=1), graph.number(1 / SIDE_PX)
    )
    logits = graph.apply("Concat", parts["classes"], parts["objectness"], axis=1)
    outputs = {
        names[1]: (graph.rows(logits), (ANCHORS, CLASSES + 1)),
        names[0]: (graph.rows(fractions), (ANCHORS, 4)),
    }
    return graph.write(path, outputs, batch)


def write_yolov10(path: Path, seed: int, batch: int | str = "batch") -> Path:
    """The surest rows, chosen by the graph, overlaps and all."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images")
    scores = graph.rows(graph.apply("Sigmoid", parts["classes"]))
    best = graph.apply("ReduceMax", scores, axes=[2], keepdims=1)
    class_id = graph.apply("ArgMax", scores, axis=2, keepdims=1)
    number = graph.apply("Cast", class_id, to=TensorProto.FLOAT)
    rows = graph.apply("Concat", graph.corners(parts), best, number, axis=2)
    graph.nodes.append(helper.make_node("TopK", [best, graph.whole(CHOSEN)], ["top", "chosen"], axis=1))
    index = graph.apply("Expand", "chosen", graph.whole(1, CHOSEN, 6))
    return graph.write(path, {"output0": (graph.apply("GatherElements", rows, index, axis=1), (CHOSEN, 6))}, batch)


def write_suppressing(path: Path, seed: int, iou_threshold: float = 0.5) -> Path:
    """A batch of one picture, overlapping boxes dropped by the graph, and rows of zeros behind the last box."""
    graph = FamilyGraph(seed)
    parts = graph.predictions("images")
    corners, scores = graph.corners(parts), graph.apply("Sigmoid", parts["classes"])
    kept = graph.apply(
        "NonMaxSuppression",
        corners,
        scores,
        graph.whole(CHOSEN),
        graph.number([iou_threshold]),
        graph.number([0.05]),
    )
    class_id, anchor = (graph.cut(kept, column, column + 1, 1) for column in (1, 2))
    one_anchor = graph.apply("Reshape", anchor, graph.whole(-1))
    boxes = graph.apply("Gather", graph.apply("Squeeze", corners, graph.whole(0)), one_anchor, axis=0)
    pairs = graph.apply("Concat", class_id, anchor, axis=1)
    score = graph.apply("GatherND", graph.apply("Squeeze", scores, graph.whole(0)), pairs)
    score = graph.apply("Reshape", score, graph.whole(-1, 1))
    rows = graph.apply("Concat", boxes, score, graph.apply("Cast", class_id, to=TensorProto.FLOAT), axis=1)
    padded = graph.apply("Concat", rows, graph.number(np.zeros((CHOSEN, 6))), axis=0)
    filled = graph.apply("Unsqueeze", graph.cut(padded, 0, CHOSEN, 0), graph.whole(0))
    return graph.write(path, {"output0": (filled, (CHOSEN, 6))}, 1)
