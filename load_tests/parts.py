"""What the work itself costs, in one process that does each part once: the measure for all that a server adds to it.

python -m load_tests.parts [--requests 100] [--crops 16] [--seconds 10]      prints JSON, as `Parts` has it
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import psutil

from deployments.dataplane.sample import sample_cut_out, sample_photograph
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.timing import BatchTiming
from load_tests.baselines.plate_pipeline import cut_plates, load_plate_detector, load_plate_reader
from load_tests.results import Part
from workflows.ports import PredictionOptions
from workflows.values.image_codec import decode_pixels

Done = TypeVar("Done")
Cost = tuple[float, float]
"""CPU milliseconds, and those of the clock."""

NAMES = ("decode", "pre-processing", "inference", "post-processing", "crop")
WARM_RUNS = 5
WARM_S = 1.0


class Parts(Part):
    """What one request of the tutorial costs where nothing is done twice, and how fast text is read.

    Attributes:
        cpu_ms: part -> CPU time: decode, pre-processing, inference, post-processing, crop.
        wall_ms: the same by the clock, one request after another.
        crops: how many pictures the reader was given at once.
        crops_rps: pictures a second that it read so, a thread and a network for each core.
    """

    cpu_ms: dict[str, float]
    wall_ms: dict[str, float]
    crops: int
    crops_rps: float


def measure_parts(runs: int) -> tuple[dict[str, float], dict[str, float]]:
    """CPU milliseconds a request by part, and those of the clock: one thread, one decode, crops as pixels.

    Args:
        runs: how often to do it; the mean is given.
    """
    detector, reader = load_plate_detector(), load_plate_reader()
    encoded = sample_photograph()
    spent = dict.fromkeys(NAMES, (0.0, 0.0))

    def add(name: str, cost: Cost) -> None:
        spent[name] = (spent[name][0] + cost[0], spent[name][1] + cost[1])

    for run in range(WARM_RUNS + runs):
        if run == WARM_RUNS:
            spent = dict.fromkeys(NAMES, (0.0, 0.0))
        pixels, cost = _timed(partial(decode_pixels, encoded))
        add("decode", cost)
        found, cost = _timed(partial(detector.predict_batch, [pixels], [PredictionOptions()]))
        for name, share in _shares(found.timing).items():
            add(name, (cost[0] * share, cost[1] * share))
        (boxes,) = found.predictions
        assert isinstance(boxes, ScoredBoxes)  # what a detector gives
        crops, cost = _timed(partial(cut_plates, pixels, boxes.xyxy))
        add("crop", cost)
        if crops:
            read, cost = _timed(partial(reader.read_batch, crops))
            for name, share in _shares(read.timing).items():
                add(name, (cost[0] * share, cost[1] * share))
    return (
        {name: cpu_ms / runs for name, (cpu_ms, _) in spent.items()},
        {name: wall_ms / runs for name, (_, wall_ms) in spent.items()},
    )


def reading_rps(crops: int, duration_s: float) -> float:
    """Pictures a second that the reader reads in batches: on every core one thread, with a network of its own.

    Args:
        crops: pictures in a batch.
        duration_s: how long to read.
    """
    pictures = [decode_pixels(sample_cut_out())] * crops
    threads = psutil.cpu_count() or 1

    def read(_: int) -> tuple[int, float]:
        reader = load_plate_reader()
        warm_until_s = time.perf_counter() + WARM_S
        while time.perf_counter() < warm_until_s:
            reader.read_batch(pictures)
        began_s = time.perf_counter()
        for done in itertools.count(1):
            reader.read_batch(pictures)
            elapsed_s = time.perf_counter() - began_s
            if elapsed_s > duration_s:
                return done, elapsed_s
        raise AssertionError  # counting has no end

    with ThreadPoolExecutor(threads) as pool:
        return sum(done * crops / elapsed_s for done, elapsed_s in pool.map(read, range(threads)))


def _timed(work: Callable[[], Done]) -> tuple[Done, Cost]:
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    done = work()
    return done, ((time.process_time() - cpu_began_s) * 1000, (time.perf_counter() - began_s) * 1000)


def _shares(timing: BatchTiming) -> Mapping[str, float]:
    """What part of a model call each of its three pieces was, by the clock."""
    total_ms = max(timing.total_ms, 1e-9)
    return {
        "pre-processing": timing.preprocess_ms / total_ms,
        "inference": timing.inference_ms / total_ms,
        "post-processing": timing.postprocess_ms / total_ms,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--crops", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to read crops")
    options = parser.parse_args()
    cpu_ms, wall_ms = measure_parts(options.requests)
    crops_rps = reading_rps(options.crops, options.seconds)
    print(Parts(cpu_ms=cpu_ms, wall_ms=wall_ms, crops=options.crops, crops_rps=crops_rps).model_dump_json())


if __name__ == "__main__":
    main()
