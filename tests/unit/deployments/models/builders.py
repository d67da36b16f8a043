"""Small packages, graphs and engines for the tests of models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from deployments.models.engines.engine import TensorSpec
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode
from deployments.models.network_output import NetworkOutput
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import RecommendedThresholds, TextReading

NETWORK_INPUT = {"training_input_size": {"height": 64, "width": 64}, "resize_mode": "letterbox", "scaling_factor": 255}


def package(**changes: Any) -> ModelPackage:
    """A detector's package: 64x64, stretch, one class."""
    values: dict[str, Any] = {
        "model_id": "plates/1",
        "aliases": (),
        "directory": Path("plates/1"),
        "weights_path": Path("plates/1/weights.onnx"),
        "sha256": None,
        "task_type": "object-detection",
        "architecture": "yolov8",
        "class_names": ("plate",),
        "removed_class_ids": (),
        "preprocessing": ImagePreprocessing(resize_mode=ResizeMode.STRETCH, input_hw=(64, 64)),
        "default_confidence": None,
        "graph_suppresses": False,
        "recommended": RecommendedThresholds(),
        "text_reading": None,
        "class_scores": None,
        "skeletons": (),
        "static_batch_size": None,
        "max_batch_size": None,
    }
    return ModelPackage(**{**values, **changes})


def text_package(vocabulary: str, **changes: Any) -> ModelPackage:
    """A text recognizer's package: 4x16, stretch."""
    values: dict[str, Any] = {
        "model_id": "doctr/default",
        "task_type": "text-recognition",
        "architecture": "crnn_mobilenet_v3_small",
        "class_names": (),
        "preprocessing": ImagePreprocessing(resize_mode=ResizeMode.STRETCH, input_hw=(4, 16)),
        "text_reading": TextReading(vocabulary=vocabulary),
    }
    return package(**{**values, **changes})


class FakeEngine:
    """Answers with what a function makes of the batch (one tensor, or several by name), and remembers the batches."""

    def __init__(
        self,
        answer: Callable[[NDArray[Any]], NDArray[Any] | dict[str, NDArray[Any]]],
        input_shape: tuple[int | None, ...] = (None, 3, None, None),
        dtype: type[np.generic] = np.float32,
    ) -> None:
        self._answer = answer
        self.inputs = (TensorSpec(name="images", shape=input_shape, dtype=np.dtype(dtype)),)
        self.outputs = (TensorSpec(name="output0", shape=(None, None, None), dtype=np.dtype(np.float32)),)
        self.device = "cpu"
        self.batches: list[NDArray[Any]] = []

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        batch = feeds["images"]
        self.batches.append(batch)
        answer = self._answer(batch)
        return answer if isinstance(answer, dict) else {"output0": answer}


def outputs_of(**shapes: Sequence[int]) -> list[NetworkOutput]:
    """Outputs by name."""
    return [NetworkOutput(name=name, shape=tuple(shape)) for name, shape in shapes.items()]


def tensor(rows: Any) -> NDArray[np.float32]:
    """A read-only float32 array, as it comes from another process."""
    values = np.array(rows, dtype=np.float32)
    values.flags.writeable = False
    return values


def yolov8_output(boxes: Sequence[Sequence[float]], classes: int = 1, anchors: int = 12) -> NDArray[np.float32]:
    """(4 + classes, anchors) of rows (x centre, y centre, width, height, class scores...); the rest scores nothing."""
    output = np.zeros((4 + classes, anchors), dtype=np.float32)
    for column, box in enumerate(boxes):
        output[:, column] = box
    output.flags.writeable = False
    return output


def write_add_graph(path: Path, shape: Sequence[int | str] = ("b", 2), element: int = TensorProto.FLOAT) -> Path:
    """An ONNX file with input `x` and outputs `twice` (x + x) and `same` (x)."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["twice"]), helper.make_node("Identity", ["x"], ["same"])],
        "add",
        [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info(name, element, shape) for name in ("twice", "same")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def write_constant_detector(
    path: Path, output: NDArray[np.float32], batch: int | str = "b", hw: tuple[int | str, int | str] = (64, 64)
) -> Path:
    """An ONNX file that takes (batch, 3, height, width) and gives `output` for every element."""
    nodes = [
        helper.make_node("Shape", ["images"], ["size"], start=0, end=1),
        helper.make_node("Concat", ["size", "rest"], ["target"], axis=0),
        helper.make_node("Expand", ["answer", "target"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, *hw])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [batch, *output.shape])],
        [
            onnx.numpy_helper.from_array(np.array(output)[None], "answer"),
            onnx.numpy_helper.from_array(np.array(output.shape, dtype=np.int64), "rest"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def write_brightness_map(path: Path) -> Path:
    """An ONNX file that takes pictures (batch, 3, h, w) and gives their first channel: (batch, 1, h, w)."""
    graph = helper.make_graph(
        [helper.make_node("Slice", ["images", "from", "to", "axis"], ["map"])],
        "brightness",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, ["b", 1, "h", "w"])],
        [
            onnx.numpy_helper.from_array(np.array([value], dtype=np.int64), name)
            for name, value in (("from", 0), ("to", 1), ("axis", 1))
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def write_package(
    directory: Path,
    model_config: Mapping[str, Any] | None = None,
    inference_config: Mapping[str, Any] | None = None,
    class_names: str | None = "plate\n",
    weights: bytes | None = None,
) -> Path:
    """A folder in the layout of `model_config.json`; the weights are an ONNX file unless given."""
    directory.mkdir(parents=True, exist_ok=True)
    config = {"model_architecture": "yolov8", "task_type": "object-detection", "backend_type": "onnx"}
    (directory / "model_config.json").write_text(json.dumps({**config, **(model_config or {})}))
    (directory / "inference_config.json").write_text(
        json.dumps({"network_input": NETWORK_INPUT, **(inference_config or {})})
    )
    if class_names is not None:
        (directory / "class_names.txt").write_text(class_names)
    if weights is None:
        write_constant_detector(directory / "weights.onnx", yolov8_output([]))
    else:
        (directory / "weights.onnx").write_bytes(weights)
    return directory
