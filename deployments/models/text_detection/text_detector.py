"""A text detector: a package, an engine that runs its network, and the way from pictures to regions of text."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.package import ModelPackage
from deployments.models.text_detection.architectures import ARCHITECTURES
from deployments.models.text_detection.canvas import Canvas, fill_canvases, plan_canvas
from deployments.models.text_detection.map_reading import MapReading, regions_on_map
from deployments.models.text_detection.text_regions import FoundText, TextRegions
from deployments.models.timing import BatchTiming
from workflows.values.image import Pixels

DEFAULT_PAGE_SIDE_PX = 1024
"""Longest side of a page when the package does not say; what docTR trains on."""

DIVISOR = 32
"""Networks of this kind halve their input five times."""

MAX_RUN_PIXELS = 1 << 21
"""Pictures of one run: two pages of 1024 x 1024, 24 MiB of input."""


class TextDetector:
    """Finds words or lines of text on batches of pictures. Holds no state between calls.

    The network runs once while the detector is made: that warms it, and shows what its maps look like.

    Attributes:
        package: where it came from.
        input_hw: largest height and width of the network's input, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network does not give one map for each picture.
        UnsupportedModelError: no code here reads the maps of its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._engine = engine
        self._reading = _map_reading(package)
        if len(engine.inputs) != 1 or len(engine.inputs[0].shape) != 4:
            inputs = ", ".join(f"{spec.name}{list(spec.shape)}" for spec in engine.inputs)
            raise ModelLoadError(
                f"the network of {package.model_id!r} takes {inputs}; a text detector takes one batch of pictures "
                "[batch, 3, height, width]",
                package.model_id,
            )
        shape = engine.inputs[0].shape
        self.batch_size = shape[0] or package.static_batch_size
        self._fixed_hw = shape[2:4]
        self._page_side = max(package.preprocessing.input_hw or (DEFAULT_PAGE_SIDE_PX,))
        self._divisor = max(DIVISOR, package.preprocessing.size_divisor)
        self.input_hw = (shape[2] or self._page_side, shape[3] or self._page_side)
        self._check_maps(np.zeros((1, 3, shape[2] or self._divisor, shape[3] or self._divisor), dtype=np.float32))

    def detect_batch(self, images_bgr: Sequence[Pixels]) -> FoundText:
        """Regions of text on each picture, in its own pixels.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; a picture without pixels has no
                text, and the batch may be empty.
        """
        started = time.perf_counter()
        inference_s = postprocess_s = 0.0
        found = [TextRegions.none() for _ in images_bgr]
        canvases = {
            position: self._canvas(image) for position, image in enumerate(images_bgr) if min(image.shape[:2]) > 0
        }
        for members in _runs(canvases):
            batch = fill_canvases(
                [images_bgr[member] for member in members],
                [canvases[member] for member in members],
                self.package.preprocessing,
            )
            before = time.perf_counter()
            maps = run_batch(self._engine, batch, self.batch_size, self.package.max_batch_size)[0]
            after = time.perf_counter()
            for member, probability in zip(members, self._probabilities(maps), strict=True):
                found[member] = self._regions(probability, canvases[member])
            inference_s += after - before
            postprocess_s += time.perf_counter() - after
        total_s = time.perf_counter() - started
        return FoundText(
            regions=found,
            timing=BatchTiming(
                preprocess_ms=(total_s - inference_s - postprocess_s) * 1000,
                inference_ms=inference_s * 1000,
                postprocess_ms=postprocess_s * 1000,
            ),
        )

    def _canvas(self, image: Pixels) -> Canvas:
        return plan_canvas(
            (image.shape[1], image.shape[0]),
            page_side=self._page_side,
            divisor=self._divisor,
            fixed_hw=(self._fixed_hw[0], self._fixed_hw[1]),
        )

    def _regions(self, probability: NDArray[np.float32], canvas: Canvas) -> TextRegions:
        stride = canvas.input_hw[0] / probability.shape[0]
        shown_w, shown_h = (max(1, round(side / stride)) for side in canvas.picture_wh)
        regions = regions_on_map(probability[:shown_h, :shown_w], self._reading)  # nothing stands on the padding
        scale = np.array(canvas.scale_xy, dtype=np.float32) / np.float32(stride)
        return replace(regions, quads=regions.quads / scale)

    def _probabilities(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """(b, h, w) of the network's output (b, 1, h, w)."""
        maps = output.astype(np.float32, copy=False)[:, 0]
        return maps if self.package.text_maps.probabilities else _sigmoid(maps)

    def _check_maps(self, blank: NDArray[np.float32]) -> None:
        shape = run_batch(self._engine, blank, self.batch_size)[0].shape
        height, width = blank.shape[2:]
        if len(shape) != 4 or shape[1] != 1 or height % shape[2] or width % shape[3]:
            raise ModelLoadError(
                f"the network of {self.package.model_id!r} gives {list(shape)} for pictures of {height} x {width}; a "
                "text detector gives one map [batch, 1, height / k, width / k], k a whole number",
                self.package.model_id,
            )


def _map_reading(package: ModelPackage) -> MapReading:
    reading = ARCHITECTURES.get(package.architecture or "")
    if reading is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} has architecture {package.architecture!r}; text detectors served here are "
            f"{', '.join(sorted(ARCHITECTURES))}",
            package.model_id,
        )
    own = package.text_maps
    return MapReading(
        pixel_threshold=reading.pixel_threshold if own.pixel is None else own.pixel,
        region_threshold=reading.region_threshold if own.region is None else own.region,
        unclip_ratio=reading.unclip_ratio if own.unclip_ratio is None else own.unclip_ratio,
        joins_gaps=reading.joins_gaps,
    )


def _runs(canvases: dict[int, Canvas]) -> Iterator[list[int]]:
    """Positions of pictures that go through the network together: of one size, and not too many pixels in all."""
    members: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for position, canvas in canvases.items():
        members[canvas.input_hw].append(position)
    for (height, width), positions in members.items():
        size = max(1, MAX_RUN_PIXELS // (height * width))
        for start in range(0, len(positions), size):
            yield positions[start : start + size]


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # far below zero it overflows to infinity, and the result to 0
        probability: NDArray[np.float32] = np.float32(1) / (np.float32(1) + np.exp(-logits))
    return probability
