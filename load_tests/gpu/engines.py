"""Time of one run of a network by batch size, on each way that ONNX Runtime offers here.

    python -m load_tests.gpu.engines [--model ID] [--models DIR] [--batches 1,2,4,8,16,32,64] [--runs 50] [--ways A,B]

Ways: CUDA with and without I/O binding, half precision, TensorRT in single and half precision, and one CPU thread to
compare with. A way that this machine does not have is named, with the reason, and left out: on a machine without a GPU
only the CPU is measured. TensorRT builds its engines first, which takes minutes and is not measured.

No run on a GPU is among `load_tests/results` yet.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from deployments.models.engines.cuda_device import cuda_device, tensorrt_version
from deployments.models.engines.engine import Engine
from deployments.models.engines.opening import open_engine
from deployments.models.package import ModelPackage
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.settings import EngineSettings

WARM_RUNS = 5
DEFAULT_MODEL = "vehicle-registration-plates-trudk/2"

WAYS: Mapping[str, EngineSettings] = {
    "cpu": EngineSettings(device="cpu", idle_threads=1),
    "cpu-binding": EngineSettings(device="cpu", io_binding="on"),
    "cuda": EngineSettings(device="cuda", io_binding="off"),
    "cuda-binding": EngineSettings(device="cuda", io_binding="on"),
    "cuda-binding-fp16": EngineSettings(device="cuda", io_binding="on", precision="fp16"),
    "tensorrt": EngineSettings(device="cuda", io_binding="on", tensorrt=True, tensorrt_max_batch=64),
    "tensorrt-fp16": EngineSettings(
        device="cuda", io_binding="on", tensorrt=True, tensorrt_max_batch=64, precision="fp16"
    ),
}


class WayMissingError(RuntimeError):
    """This machine cannot run a network that way."""


def open_way(package: ModelPackage, name: str) -> Engine:
    """The network, run as the way says and in no other.

    Raises:
        WayMissingError: something is not there.
    """
    settings = WAYS[name]
    if settings.tensorrt and tensorrt_version() is None:
        raise WayMissingError("no TensorRT 10 library")
    try:
        engine = open_engine(package, settings)
    except RuntimeError as error:
        raise WayMissingError(str(error)) from error
    provider = getattr(engine, "provider", "")
    if settings.tensorrt and not provider.startswith("Tensorrt"):
        raise WayMissingError(f"the network runs on {provider}")
    return engine


def input_batch(engine: Engine, package: ModelPackage, size: int) -> dict[str, NDArray[Any]]:
    """Noise of the shape that the network takes; the picture size is the package's where the graph leaves it open."""
    (spec,) = engine.inputs
    height, width = package.preprocessing.input_hw or (640, 640)
    shape = (spec.shape[0] or size, 3, spec.shape[2] or height, spec.shape[3] or width)
    return {spec.name: np.random.default_rng(0).random(shape, dtype=np.float32).astype(spec.dtype)}


def median_ms(engine: Engine, feeds: Mapping[str, NDArray[Any]], runs: int) -> float:
    """Median wall time of one run, copies to and from the device included."""
    for _ in range(WARM_RUNS):
        engine.run(feeds)
    taken = []
    for _ in range(runs):
        began_s = time.perf_counter()
        engine.run(feeds)
        taken.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--models", type=Path, help="folder of further model packages")
    parser.add_argument("--batches", default="1,2,4,8,16,32,64")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--ways", default=",".join(WAYS))
    arguments = parser.parse_args()
    directories = [SHIPPED_DIRECTORY, *([arguments.models] if arguments.models else [])]
    package = discover_packages(*directories)[arguments.model]
    batches = [int(size) for size in arguments.batches.split(",")]
    device = cuda_device(0)
    print(f"{arguments.model}, ONNX Runtime {ort.__version__}, TensorRT {tensorrt_version()}, GPU {device}\n")
    print(f"| ms a run (median of {arguments.runs}) | " + " | ".join(f"batch {size}" for size in batches) + " |")
    print("| --- |" + " --- |" * len(batches))
    for name in arguments.ways.split(","):
        try:
            engine = open_way(package, name)
        except WayMissingError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        times = [median_ms(engine, input_batch(engine, package, size), arguments.runs) for size in batches]
        print(f"| {name} | " + " | ".join(f"{taken:.2f}" for taken in times) + " |", flush=True)


if __name__ == "__main__":
    main()
