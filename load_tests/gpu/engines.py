"""Time of one run of a network by batch size, on each way that ONNX Runtime offers here.

    python -m load_tests.gpu.engines [--model ID] [--models DIR] [--batches 1,2,4,8,16,32,64] [--runs 50]
        [--ways A,B] [--out FILE]

Ways: CUDA with and without I/O binding, half precision, TensorRT in single and half precision, and one CPU thread to
compare with. A way that this machine does not have is named, with the reason, and left out: on a machine without a GPU
only the CPU is measured. TensorRT builds its engines first, which takes minutes and is not measured.

`--out` writes the same as JSON, with the date, the commit, the device and the versions. What a GPU does for whole
requests is measured by `python -m load_tests.gpu.pipeline`. No run on a GPU is among `load_tests/results` yet.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import Field

from deployments.errors import ServingError
from deployments.models.engines.engine import Engine
from deployments.models.engines.opening import open_engine
from deployments.models.package import ModelPackage
from load_tests.gpu.ways import (
    WAYS,
    Report,
    WayMissingError,
    add_arguments,
    check_provider,
    check_way,
    made_here,
    package_named,
    packages_for,
    parsed,
    whole_numbers,
)
from load_tests.results import write_result

WARM_RUNS = 5
DEFAULT_MODEL = "vehicle-registration-plates-trudk/2"


class EngineTimes(Report):
    """Times of one network.

    Attributes:
        model_id: whose.
        runs: of which each time is the median.
        ms: way -> batch size -> milliseconds a run.
    """

    model_id: str
    runs: int
    ms: dict[str, dict[int, float]] = Field(default_factory=dict)


def open_way(package: ModelPackage, name: str) -> Engine:
    """The network, run as the way says and in no other.

    Raises:
        WayMissingError: something is not there.
    """
    settings = check_way(name)
    try:
        engine = open_engine(package, settings)
    except (RuntimeError, ServingError) as error:
        raise WayMissingError(str(error)) from error
    check_provider(engine, settings)
    return engine


def input_batch(engine: Engine, package: ModelPackage, size: int) -> dict[str, NDArray[Any]]:
    """Noise of the shape that the network takes; the picture size is the package's where the graph leaves it open.

    Raises:
        WayMissingError: the network takes something other than pictures.
    """
    specs = engine.inputs
    if len(specs) != 1 or len(specs[0].shape) != 4:
        raise WayMissingError(f"the network takes {[spec.name for spec in specs]}, not one batch of pictures")
    spec = specs[0]
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


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--batches", type=whole_numbers, default="1,2,4,8,16,32,64")
    add_arguments(parser, ways=",".join(WAYS))
    arguments = parsed(parser, given)
    packages = packages_for(parser, arguments.models)
    package = package_named(parser, packages, arguments.model, argument="--model")
    report = EngineTimes(**dict(made_here()), model_id=arguments.model, runs=arguments.runs)
    tensorrt = report.versions.get("tensorrt")
    print(f"{arguments.model}, ONNX Runtime {ort.__version__}, TensorRT {tensorrt}, GPU {report.device}\n")
    heads = [f"ms a run (median of {arguments.runs})", *(f"batch {size}" for size in arguments.batches)]
    print(f"| {' | '.join(heads)} |")
    print("| --- |" + " --- |" * len(arguments.batches))
    for name in arguments.ways:
        try:
            engine = open_way(package, name)
            times = {
                size: median_ms(engine, input_batch(engine, package, size), arguments.runs)
                for size in arguments.batches
            }
        except WayMissingError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            report = report.model_copy(update={"left_out": report.left_out | {name: str(error)}})
            continue
        print(f"| {name} | " + " | ".join(f"{taken:.2f}" for taken in times.values()) + " |", flush=True)
        report = report.model_copy(update={"ms": report.ms | {name: times}})
    if arguments.out:
        write_result(report, arguments.out)


if __name__ == "__main__":
    main()
