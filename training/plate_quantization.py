"""The plate detector's graph in 8-bit integers, for `precision: int8`: QDQ, static, a scale for every channel."""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.backgrounds import Frame, load_frames
from training.plate_scenes import cut_photograph

PICTURES, SEED = 64, 0
PACKAGE = Path("deployments/models/shipped/vehicle-registration-plates-trudk/2")
LAYERS = re.compile(r"/detector/(stem|stage|pool|neck|heads)")  # the rest decodes boxes, in pixels


class _Calibration(CalibrationDataReader):
    """Parts of street photographs."""

    def __init__(self, frames: list[Frame]) -> None:
        rng = random.Random(SEED)
        self._pictures: Iterator[np.ndarray] = iter(
            [cut_photograph(rng.choice(frames), rng).rgb.transpose(2, 0, 1)[None] for _ in range(PICTURES)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        """One picture as the graph wants it."""
        picture = next(self._pictures, None)
        return None if picture is None else {"images": picture.astype(np.float32) / 255}


def quantize_detector(weights: Path, frames: list[Frame], quantized: Path) -> None:
    """Write an 8-bit form of the convolutions; what decodes boxes and scores stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(weights), str(prepared), skip_symbolic_shape=True)
        nodes = [node.name for node in onnx.load(str(prepared)).graph.node]
        quantize_static(
            str(prepared),
            str(quantized),
            _Calibration(frames),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,  # without it products overflow 16 bits on cores that lack VNNI
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Concat", "MaxPool", "Resize", "Add"],
            nodes_to_exclude=[name for name in nodes if not LAYERS.match(name)],
        )


def main() -> None:
    """Write `weights.int8.onnx` into the package, and its checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with plates-ro/")
    parser.add_argument("--package", type=Path, default=PACKAGE)
    arguments = parser.parse_args()
    weights, config_path = arguments.package / "weights.onnx", arguments.package / "model_config.json"
    quantized = weights.with_suffix(".int8.onnx")
    quantize_detector(weights, load_frames(arguments.data / "plates-ro", "train"), quantized)
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config["sha256"][quantized.name] = hashlib.sha256(quantized.read_bytes()).hexdigest()
    config_path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
