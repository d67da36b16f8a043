"""Trained weights to the model packages that are served: ONNX, configuration, checksum."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.compact import calibration_crops, narrow
from training.plate_batches import PADDING_VALUE
from training.plate_network import load_detector
from training.plate_reader import MEAN, STD, load_reader
from training.plate_serving import YoloOutput, served_form
from training.plate_texts import VOCABULARY
from training.schedule import load_weights
from training.text_detector import MEAN as MAP_MEAN
from training.text_detector import PADDING_VALUE as MAP_PADDING_VALUE
from training.text_detector import STD as MAP_STD
from training.text_detector import text_detector

OPSET = 17
DEFAULT_CONFIDENCE = 0.4  # what requests are served with when they name no threshold
DETECTOR_ID, RECOGNIZER_ID = "vehicle-registration-plates-trudk/2", "doctr/default"
TEXT_DETECTOR_ID = "doctr/detection"
MAP_READING = {"pixel_threshold": 0.65, "region_threshold": 0.4, "unclip_ratio": 1.5}  # best for reading, of a grid


class TextMap(nn.Module):
    """The map of a text detector alone, without the dictionary that docTR wraps it in."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        """(b, 3, h, w) normalized to logits (b, 1, h, w)."""
        logits: Tensor = self.detector(images)["logits"]
        return logits


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_configs(folder: Path, model: dict[str, Any], inference: dict[str, Any]) -> None:
    checksum = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    _write_json(folder / "model_config.json", {**model, "sha256": {"weights.onnx": checksum}})
    _write_json(folder / "inference_config.json", inference)


def export_detector(weights: Path, best_threshold: float, shipped: Path) -> None:
    """Write the plate detector's package; batch, height and width are free, sides multiples of 32."""
    folder = shipped / DETECTOR_ID
    folder.mkdir(parents=True, exist_ok=True)
    detector = load_detector(weights)
    shift = _logit(DEFAULT_CONFIDENCE) - _logit(best_threshold)
    torch.onnx.export(
        YoloOutput(served_form(detector), shift).eval(),
        (torch.zeros(1, 3, 320, 320),),
        str(folder / "weights.onnx"),
        dynamo=False,
        opset_version=OPSET,
        input_names=["images"],
        output_names=["output0"],
        dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}},
    )
    (folder / "class_names.txt").write_text("license-plate\n", encoding="utf-8")
    model = {
        "model_id": DETECTOR_ID,
        "model_architecture": "yolov8",
        "task_type": "object-detection",
        "backend_type": "onnx",
        "dynamic_batch_size_supported": True,
    }
    inference = {
        "image_pre_processing": {},
        "network_input": {
            "training_input_size": {"height": 640, "width": 640},
            "dynamic_spatial_size_supported": True,
            "dynamic_spatial_size_mode": {"type": "pad-to-be-divisible", "value": 32},
            "color_mode": "rgb",
            "resize_mode": "letterbox",
            "padding_value": PADDING_VALUE,
            "input_channels": 3,
            "scaling_factor": 255,
            "reduced_decoding": True,
        },
        "forward_pass": {"max_dynamic_batch_size": 8},
        "post_processing": {"type": "nms", "fused": False},
    }
    _write_configs(folder, model, inference)


def export_recognizer(weights: Path, shipped: Path, whole: bool = False) -> None:
    """Write the text recognizer's package; the batch is free, the input 64 x 256.

    Args:
        weights: of a `PlateReader`.
        shipped: folder of model packages.
        whole: leave it as it was trained, nothing narrowed.
    """
    folder = shipped / RECOGNIZER_ID
    folder.mkdir(parents=True, exist_ok=True)
    reader = load_reader(weights).eval()
    reader.trim()
    if not whole:
        narrow(reader.localizer, calibration_crops())
    torch.onnx.export(
        reader,
        (torch.zeros(2, 3, 64, 256),),
        str(folder / "weights.onnx"),
        dynamo=False,
        opset_version=OPSET,
        input_names=["crops"],
        output_names=["logits", "corners"],
        dynamic_axes={name: {0: "batch"} for name in ("crops", "logits", "corners")},
    )
    model = {
        "model_id": RECOGNIZER_ID,
        "model_architecture": "crnn_mobilenet_v3_small",
        "task_type": "text-recognition",
        "backend_type": "onnx",
        "dynamic_batch_size_supported": True,
    }
    inference = {
        "image_pre_processing": {},
        "network_input": {
            "training_input_size": {"height": 64, "width": 256},
            "dynamic_spatial_size_supported": False,
            "color_mode": "rgb",
            "resize_mode": "stretch",
            "input_channels": 3,
            "scaling_factor": 255,
            "normalization": [list(MEAN), list(STD)],
        },
        "forward_pass": {"max_dynamic_batch_size": 32},
        "post_processing": {"type": "ctc", "blank": "last", "confidence": "minimum"},
        "text_detection": {"model_id": TEXT_DETECTOR_ID},
        "vocabulary": VOCABULARY,
    }
    _write_configs(folder, model, inference)


def export_text_detector(weights: Path, shipped: Path) -> None:
    """Write the text detector's package; batch, height and width are free, sides multiples of 32."""
    folder = shipped / TEXT_DETECTOR_ID
    folder.mkdir(parents=True, exist_ok=True)
    detector = text_detector()
    load_weights(detector, weights)
    free = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        TextMap(detector).eval(),
        (torch.zeros(1, 3, 64, 96),),
        str(folder / "weights.onnx"),
        dynamo=False,
        opset_version=OPSET,
        input_names=["images"],
        output_names=["logits"],
        dynamic_axes={"images": free, "logits": free},
    )
    model = {
        "model_id": TEXT_DETECTOR_ID,
        "model_architecture": "linknet_resnet18",
        "task_type": "text-detection",
        "backend_type": "onnx",
        "dynamic_batch_size_supported": True,
    }
    inference = {
        "image_pre_processing": {},
        "network_input": {
            "training_input_size": {"height": 1024, "width": 1024},
            "dynamic_spatial_size_supported": True,
            "dynamic_spatial_size_mode": {"type": "pad-to-be-divisible", "value": 32},
            "color_mode": "rgb",
            "resize_mode": "letterbox",
            "padding_value": MAP_PADDING_VALUE,
            "input_channels": 3,
            "scaling_factor": 255,
            "normalization": [list(MAP_MEAN), list(MAP_STD)],
        },
        "forward_pass": {"max_dynamic_batch_size": 8},
        "post_processing": {"fused": False, **MAP_READING},
    }
    _write_configs(folder, model, inference)


def main() -> None:
    """`detector`, `recognizer` or `text-detector`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("detector", "recognizer", "text-detector"))
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--best-threshold", type=float, default=DEFAULT_CONFIDENCE,
                        help="score of the raw detector that shall become 0.4")  # fmt: skip
    parser.add_argument("--whole", action="store_true", help="a recognizer that is not narrowed, to compare")
    parser.add_argument("--shipped", type=Path, default=Path("deployments/models/shipped"))
    arguments = parser.parse_args()
    if arguments.model == "detector":
        export_detector(arguments.weights, arguments.best_threshold, arguments.shipped)
    elif arguments.model == "text-detector":
        export_text_detector(arguments.weights, arguments.shipped)
    else:
        export_recognizer(arguments.weights, arguments.shipped, arguments.whole)


if __name__ == "__main__":
    main()
