"""CPU time of each part of the tutorial's workflow, in one process that does each once, in one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import cv2

from deployments.dataplane.compute import as_image_model, as_text_reader
from deployments.dataplane.sample import TUTORIAL, sample_photograph
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.loading import load_model
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.models.timing import BatchTiming
from deployments.settings import EngineSettings
from workflows.ports import PredictionOptions
from workflows.values.image_codec import decode_pixels, encode_jpeg

Done = TypeVar("Done")

WARM_RUNS = 5


def measure_parts(runs: int) -> dict[str, float]:
    """CPU milliseconds a request, by part: decode, pre-processing, inference, post-processing, crop.

    Args:
        runs: how often to do it; the mean is given.
    """
    cv2.setNumThreads(1)
    packages = discover_packages(SHIPPED_DIRECTORY)
    settings = EngineSettings()
    detector = as_image_model(load_model(packages["vehicle-registration-plates-trudk/2"], settings))
    recognizer = as_text_reader(load_model(packages["doctr/default"], settings, packages))
    encoded = sample_photograph()
    offset_x, offset_y = TUTORIAL["steps"][1]["offset_x"], TUTORIAL["steps"][1]["offset_y"]
    spent = dict.fromkeys(("decode", "pre-processing", "inference", "post-processing", "crop"), 0.0)
    for run in range(WARM_RUNS + runs):
        if run == WARM_RUNS:
            spent = dict.fromkeys(spent, 0.0)
        pixels, decode_ms = _timed(partial(decode_pixels, encoded))
        spent["decode"] += decode_ms
        found, detect_ms = _timed(partial(detector.predict_batch, [pixels], [PredictionOptions()]))
        _share(spent, found.timing, detect_ms)
        height, width = pixels.shape[:2]
        crops = []
        (boxes,) = found.predictions
        assert isinstance(boxes, ScoredBoxes)
        for left, top, right, bottom in boxes.xyxy.astype(int):
            x, y = max(0, left - offset_x // 2), max(0, top - offset_y // 2)
            window = pixels[y : min(height, bottom + offset_y // 2), x : min(width, right + offset_x // 2)]
            jpeg, crop_ms = _timed(partial(_cut, window))
            spent["crop"] += crop_ms
            crop, decode_ms = _timed(partial(decode_pixels, jpeg))
            spent["decode"] += decode_ms
            crops.append(crop)
        if crops:
            pages, read_ms = _timed(partial(recognizer.read_batch, crops))
            _share(spent, pages.timing, read_ms)
    return {name: total_ms / runs for name, total_ms in spent.items()}


def _cut(window: Any) -> bytes:
    return encode_jpeg(window.copy())


def _timed(work: Callable[[], Done]) -> tuple[Done, float]:
    began_s = time.process_time()
    done = work()
    return done, (time.process_time() - began_s) * 1000


def _share(spent: dict[str, float], timing: BatchTiming, cpu_ms: float) -> None:
    """Share the CPU time of a model call among its parts as its clock time was."""
    parts: Mapping[str, float] = {
        "pre-processing": timing.preprocess_ms,
        "inference": timing.inference_ms,
        "post-processing": timing.postprocess_ms,
    }
    for name, part_ms in parts.items():
        spent[name] += cpu_ms * part_ms / max(timing.total_ms, 1e-9)
