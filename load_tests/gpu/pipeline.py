"""Whole requests a second on one device: a detector, crops of what it found, and a reader of text, without a cluster.

    python -m load_tests.gpu.pipeline [--ways cpu,cuda,...] [--crops 16] [--photographs 8] [--runs 50] [--out FILE]

Each way (see `load_tests.gpu.engines`) runs the same requests three times: one call of the reader for each crop, one
for all crops of a request, and calls for the crops of several requests, whose photographs are detected in one call too.
Beside it stands what share of the time the GPU was busy, where `nvidia-smi` is there to say so: the rest of the time it
waited for this process, which decodes, prepares and cuts pictures on one thread. The result is a JSON file with the
date, the commit, the device and the versions. A way that this machine does not have is named, with the reason, and left
out.

No run on a GPU is among `load_tests/results` yet.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from deployments.dataplane.compute import as_image_model, as_text_reader
from deployments.dataplane.sample import sample_cut_out
from deployments.errors import ServingError
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.image_model import ImageModel
from deployments.models.loading import engine_of, load_model
from deployments.models.package import ModelPackage
from deployments.models.page_reading.text_reader import TextReader
from deployments.models.tasks import DETECTION, READING, in_words
from deployments.settings import DEFAULT_TEXT_READER, RouterTuning
from load_tests.baselines.plate_pipeline import cut_plates
from load_tests.gpu.busy import busy_sampled
from load_tests.gpu.engines import DEFAULT_MODEL
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
    whole_number,
)
from load_tests.pictures import photograph
from load_tests.results import Part, write_result
from load_tests.scenario import MAX_PLATES
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels
from workflows.values.image_codec import decode_pixels

RESULTS = Path(__file__).parents[1] / "results" / "local"
WARM_RUNS = 2
CROPS_A_CALL = RouterTuning().text_reader.max_batch_items


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How requests are answered: so many photographs in a call of the detector, so many crops in one of the reader."""

    name: str
    photographs: int
    crops_a_call: int


class Row(Part):
    """One way and one manner.

    Attributes:
        manner: `one crop a call`, `one request a call`, `several requests a call`.
        median_ms: of the `photographs` requests that go together.
        gpu_busy_share: of the time; None where nobody says.
    """

    way: str
    manner: str
    photographs: int
    crops_a_call: int
    requests_s: float
    median_ms: float
    gpu_busy_share: float | None


class PipelineRates(Report):
    """Requests a second.

    Attributes:
        crops: of each request.
        runs: of each row.
    """

    detector: str
    reader: str
    crops: int
    runs: int
    rows: tuple[Row, ...] = ()


def manners_of(crops: int, photographs: int) -> tuple[Manner, ...]:
    """The three of them."""
    return (
        Manner(name="one crop a call", photographs=1, crops_a_call=1),
        Manner(name="one request a call", photographs=1, crops_a_call=crops),
        Manner(name="several requests a call", photographs=photographs, crops_a_call=CROPS_A_CALL),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A detector and a reader on one device.

    Attributes:
        crops: that every request has: those of what is found again and again, or the sample where nothing is.
    """

    detector: ImageModel
    reader: TextReader
    crops: int

    def answer(self, encoded: bytes, manner: Manner) -> int:
        """Answer the requests of one run; gives the number of crops that were read."""
        pictures = [decode_pixels(encoded) for _ in range(manner.photographs)]
        found = self.detector.predict_batch(pictures, [PredictionOptions()] * len(pictures)).predictions
        crops: list[Pixels] = []
        for pixels, boxes in zip(pictures, found, strict=True):
            assert isinstance(boxes, ScoredBoxes)  # what a detector gives
            cut = cut_plates(pixels, boxes.xyxy) or [decode_pixels(sample_cut_out())]
            crops += itertools.islice(itertools.cycle(cut), self.crops)
        size = manner.crops_a_call
        calls = (crops[first : first + size] for first in range(0, len(crops), size))
        return sum(len(self.reader.read_batch(call).pages) for call in calls)


def open_pipeline(
    detector: ModelPackage, reader: ModelPackage, packages: Mapping[str, ModelPackage], way: str, crops: int
) -> Pipeline:
    """Both models, run as the way says and in no other.

    Raises:
        WayMissingError: something is not there, or a model is for something else.
    """
    settings = check_way(way)
    try:
        loaded = [load_model(package, settings, packages) for package in (detector, reader)]
        for model in loaded:
            check_provider(engine_of(model), settings)
        return Pipeline(detector=as_image_model(loaded[0]), reader=as_text_reader(loaded[1]), crops=crops)
    except (RuntimeError, ServingError) as error:
        raise WayMissingError(str(error)) from error


def measured(pipeline: Pipeline, way: str, manner: Manner, runs: int, gpu: str = "0") -> Row:
    """One row; `gpu` is the one to watch."""
    encoded = photograph(min(pipeline.crops, MAX_PLATES))
    for _ in range(WARM_RUNS):
        pipeline.answer(encoded, manner)
    taken_s = []
    with busy_sampled(gpu) as busy:
        for _ in range(runs):
            began_s = time.perf_counter()
            pipeline.answer(encoded, manner)
            taken_s.append(time.perf_counter() - began_s)
    return Row(
        way=way,
        manner=manner.name,
        photographs=manner.photographs,
        crops_a_call=manner.crops_a_call,
        requests_s=runs * manner.photographs / max(sum(taken_s), 1e-9),
        median_ms=statistics.median(taken_s) * 1000,
        gpu_busy_share=busy.share if WAYS[way].device == "cuda" else None,
    )


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print a table, and write a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", default=DEFAULT_MODEL)
    parser.add_argument("--reader", default=DEFAULT_TEXT_READER)
    parser.add_argument("--crops", type=whole_number, default=16, help="of each request")
    parser.add_argument("--photographs", type=whole_number, default=8, help="requests that share calls")
    parser.add_argument("--gpu", default="0", help="which one to watch, as nvidia-smi counts, or its UUID")
    add_arguments(parser, ways=",".join(WAYS))
    arguments = parsed(parser, given)
    packages = packages_for(parser, arguments.models)
    detector = package_named(parser, packages, arguments.detector, argument="--detector")
    reader = package_named(parser, packages, arguments.reader, argument="--reader")
    for package, tasks, argument in ((detector, DETECTION, "--detector"), (reader, READING, "--reader")):
        if package.task_type not in tasks:
            parser.error(f"argument {argument}: {package.model_id} is for {package.task_type}, not {in_words(tasks)}")
    cv2.setNumThreads(1)
    report = PipelineRates(
        **dict(made_here()),
        detector=arguments.detector,
        reader=arguments.reader,
        crops=arguments.crops,
        runs=arguments.runs,
    )
    path = arguments.out or RESULTS / f"{report.made_at:%Y-%m-%d-%H%M%S}-gpu-pipeline.json"
    print(f"{arguments.detector}, {arguments.crops} crops, {arguments.reader}; GPU {report.device}\n")
    print("| way | reader's calls | requests/s | ms | GPU busy |\n| --- | --- | ---: | ---: | ---: |")
    for way in arguments.ways:
        try:
            pipeline = open_pipeline(detector, reader, packages, way, arguments.crops)
        except WayMissingError as error:
            print(f"{way} is left out: {error}", file=sys.stderr)
            report = report.model_copy(update={"left_out": report.left_out | {way: str(error)}})
            continue
        for manner in manners_of(arguments.crops, arguments.photographs):
            row = measured(pipeline, way, manner, arguments.runs, arguments.gpu)
            busy = "-" if row.gpu_busy_share is None else f"{row.gpu_busy_share:.0%}"
            print(f"| {way} | {row.manner} | {row.requests_s:.1f} | {row.median_ms:.1f} | {busy} |", flush=True)
            report = report.model_copy(update={"rows": (*report.rows, row)})
            write_result(report, path)  # at once: a way that fails takes nothing with it
    write_result(report, path)
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
