"""How long models take on this machine: all that a replica does with an image, from its JPEG to the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import cv2

from deployments.capacity.figures import Figures
from deployments.dataplane.compute import as_image_model, as_text_reader
from deployments.dataplane.sample import sample_cut_out, sample_photograph
from deployments.models.loading import LoadedModel, engine_of, load_model
from deployments.models.package import ModelPackage
from deployments.models.service_times import ServiceTimes
from deployments.models.tasks import READING
from deployments.models.timing import median_ms
from deployments.settings import EngineSettings
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels
from workflows.values.image_codec import decode_pixels, image_size, reduction_for

BATCH_SIZES = (1, 4, 8)
MOST_RUNS, TIMING_S = 20, 1.5


def measured(package: ModelPackage, others: Mapping[str, ModelPackage], max_batch_items: int | None = None) -> Figures:
    """Figures of a model on this machine, with the shipped photograph: decoding, and every step of the model.

    On a CPU the time of the thread that computes counts, so that what else runs on the machine does not.

    Args:
        package: what to load.
        others: by id, the packages that this one may name.
        max_batch_items: no larger batch is tried.

    Raises:
        ModelError: it does not load, or is for something else.
    """
    cv2.setNumThreads(1)
    model = load_model(package, EngineSettings(idle_threads=1), others)
    largest = model.batch_size or min(max_batch_items or BATCH_SIZES[-1], package.max_batch_size or BATCH_SIZES[-1])
    sizes = [size for size in BATCH_SIZES if size < largest and model.batch_size is None] + [largest]
    device = engine_of(model).device
    run = _run_of(model)
    times: dict[int, float] = {}
    for size in sizes:
        took_ms = median_ms(partial(run, size), device=device, most_runs=MOST_RUNS, timing_s=TIMING_S)
        times[size] = max(took_ms, *times.values(), 0.001)  # noise must not make more work take less time
    return Figures(
        times=ServiceTimes(ms_by_batch=times),
        max_batch_items=package.max_batch_size or model.batch_size,
        device=device,
        measured="with decoding, pre- and post-processing",
    )


def _run_of(model: LoadedModel) -> Callable[[int], object]:
    """What a replica does with a call of so many images."""
    photograph = sample_photograph()
    if model.package.task_type in READING:
        reader = as_text_reader(model)
        strip = sample_cut_out()
        return lambda items: reader.read_batch(_decoded(strip, items))
    images, options, wh = as_image_model(model), PredictionOptions(), image_size(photograph)
    reduction = reduction_for(photograph, wh, images.needed_wh(wh, options))
    return lambda items: images.predict_batch(_decoded(photograph, items, reduction), [options] * items, [wh] * items)


def _decoded(encoded: bytes, items: int, reduction: int = 1) -> Sequence[Pixels]:
    return [decode_pixels(encoded, reduction=reduction) for _ in range(items)]
