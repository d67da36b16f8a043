"""Where an engine of TensorRT is kept: it fits one network, one range of shapes, one precision and one kind of GPU.

Building one takes minutes; a replica that finds it starts in seconds. ONNX Runtime builds and loads the engines, this
file says where, so that none is ever used for something else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deployments.models.engines.cuda_device import CudaDevice
from deployments.models.engines.engine import TensorSpec
from deployments.settings import Precision

KEY_FILE = "built-for.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeRange:
    """Shapes of one input that an engine is built for.

    Attributes:
        name: of the input.
        least: the smallest.
        best: the one it is tuned for.
        most: the largest.
    """

    name: str
    least: tuple[int, ...]
    best: tuple[int, ...]
    most: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKey:
    """What an engine fits.

    Attributes:
        weights_sha256: checksum of the ONNX file.
        ranges: of every input.
        precision: of the arithmetic.
        device: the GPU.
        tensorrt_version: of the library that builds it.
        onnxruntime_version: of the runtime that cuts the network into parts.
    """

    weights_sha256: str
    ranges: tuple[ShapeRange, ...]
    precision: Precision
    device: CudaDevice
    tensorrt_version: int
    onnxruntime_version: str

    @property
    def digest(self) -> str:
        """A name of 24 hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:24]

    def make_folder(self, cache_dir: Path) -> Path:
        """The folder of the engine, made when it is not there, with a file that says what it was built for."""
        folder = cache_dir / self.digest
        folder.mkdir(parents=True, exist_ok=True)
        (folder / KEY_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n")
        return folder


def shape_ranges(
    inputs: Sequence[TensorSpec], input_hw: tuple[int, int] | None, max_batch: int
) -> tuple[ShapeRange, ...]:
    """The shapes to build for: any batch up to `max_batch`, pictures of the size of the package.

    Args:
        inputs: of the graph.
        input_hw: height and width for axes that the graph leaves open; None when the package does not say.
        max_batch: largest batch.

    Raises:
        ValueError: an axis is open that neither the batch nor the size of pictures explains.
    """
    ranges = []
    for spec in inputs:
        rest: list[int] = []
        for axis, length in enumerate(spec.shape[1:], start=1):
            given = length
            if given is None and len(spec.shape) == 4 and axis in (2, 3) and input_hw is not None:
                given = input_hw[axis - 2]
            if given is None:
                raise ValueError(
                    f"axis {axis} of input {spec.name!r} has no fixed length, and an engine is built for known shapes; "
                    "export the network with a fixed size, or say training_input_size in inference_config.json"
                )
            rest.append(given)
        least, most = (1, max_batch) if spec.shape[0] is None else (spec.shape[0], spec.shape[0])
        ranges.append(ShapeRange(name=spec.name, least=(least, *rest), best=(most, *rest), most=(most, *rest)))
    return tuple(ranges)


def provider_options(
    folder: Path, ranges: Sequence[ShapeRange], precision: Precision, device_id: int
) -> Mapping[str, Any]:
    """Options of ONNX Runtime's TensorRT provider.

    Source: ONNX Runtime 1.31, "TensorRT Execution Provider", "Execution Provider Options".
    """

    def profile(kind: str) -> str:
        shapes = {each.name: getattr(each, kind) for each in ranges}
        return ",".join(f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items())

    return {
        "device_id": device_id,
        "trt_engine_cache_enable": True,
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": True,
        "trt_timing_cache_path": str(folder),
        "trt_fp16_enable": precision == "fp16",
        "trt_int8_enable": precision == "int8",
        "trt_profile_min_shapes": profile("least"),
        "trt_profile_opt_shapes": profile("best"),
        "trt_profile_max_shapes": profile("most"),
    }


def shapes_of(options: Mapping[str, Any]) -> list[dict[str, tuple[int, ...]]]:
    """The smallest and the largest shapes of every input, from the options above."""
    found = []
    for kind in ("min", "max"):
        pairs = (each.rsplit(":", 1) for each in options[f"trt_profile_{kind}_shapes"].split(","))
        found.append({name: tuple(int(length) for length in shape.split("x")) for name, shape in pairs})
    return found
