"""A network that takes one batch of pictures, and the way from pictures of any size to its input."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.preprocessing import Geometry, fill_batch, plan_geometry, steps_for
from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError
from deployments.models.image_model import PredictedBatch, Prediction
from deployments.models.image_preprocessing import DEFAULT_SIDE_PX, ImagePreprocessing, ResizeMode
from deployments.models.network_output import NetworkOutput, Outputs, listed
from deployments.models.package import ModelPackage
from deployments.models.timing import BatchTiming
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels

MOST_INPUT_BYTES = 1024**3
"""Largest batch that a graph may demand: one of 32 pictures of 1,600 px a side. More is a mistake or a lie."""

MOST_AXES_OF_A_TABLE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PictureAnswer:
    """What the network gave for one picture.

    Attributes:
        outputs: of the whole batch that the picture was part of, in the order of the engine.
        position: of the picture in them.
        geometry: where it lay on the canvas.
    """

    outputs: Sequence[NDArray[Any]]
    position: int
    geometry: Geometry


class PictureNetwork:
    """Runs pictures of any size through an engine. Holds no state between calls.

    The network runs once while this is made: that warms it, and shows what its outputs look like.

    Attributes:
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.
        outputs: what a run gives.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self._engine = engine
        self._max_batch_size = package.max_batch_size
        shape = _input_shape(package, engine)
        self.batch_size = shape[0] or package.static_batch_size
        self.input_hw = _input_hw(shape, package.preprocessing)
        self._check_size(package)
        self.outputs: Outputs = self._warm_up(package)

    def steps_taken(self, steps: ImagePreprocessing) -> ImagePreprocessing:
        """The steps without scaling where the network takes whole numbers: such a graph scales pixel values itself."""
        if np.issubdtype(self._engine.inputs[0].dtype, np.floating):
            return steps
        return replace(steps, scaling_factor=None, normalization=None)

    def needed_wh(self, image_wh: tuple[int, int], steps: ImagePreprocessing) -> tuple[int, int]:
        """The smallest size at which a picture of `image_wh` may be given to `run`, pixels."""
        as_it_is = steps.static_crop is not None or steps.contrast is not None
        if not steps.reduced_decoding or as_it_is or steps.resize_mode is ResizeMode.CENTER_CROP:
            return image_wh
        return plan_geometry(image_wh, self.input_hw, steps).resized_wh

    def predict(
        self,
        images_bgr: Sequence[Pixels],
        options: Sequence[PredictionOptions],
        steps: ImagePreprocessing,
        read: Callable[[PictureAnswer, PredictionOptions], Prediction],
        image_whs: Sequence[tuple[int, int]] | None = None,
    ) -> PredictedBatch:
        """What `read` makes of the network's answer to each picture, and where the time went.

        Args:
            images_bgr: as in `run`.
            options: one for each picture.
            steps: what the network was trained with; a request may leave some of them out.
            read: turns what the network gave for a picture into what is said about it.
            image_whs: as in `run`.
        """
        started = time.perf_counter()
        answers, inference_s = self.run(images_bgr, [steps_for(steps, each) for each in options], image_whs)
        before = time.perf_counter()
        predictions = [read(answer, each) for answer, each in zip(answers, options, strict=True)]
        ended = time.perf_counter()
        return PredictedBatch(
            predictions=predictions,
            timing=BatchTiming(
                preprocess_ms=(before - started - inference_s) * 1000,
                inference_ms=inference_s * 1000,
                postprocess_ms=(ended - before) * 1000,
            ),
        )

    def run(
        self,
        images_bgr: Sequence[Pixels],
        steps: Sequence[ImagePreprocessing],
        image_whs: Sequence[tuple[int, int]] | None = None,
    ) -> tuple[list[PictureAnswer], float]:
        """What the network gives for each picture, and the seconds it took.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; may be empty.
            steps: what is done to each.
            image_whs: width and height of each, pixels, where some are given smaller than they are, as `needed_wh`
                allows; all are as large as given without it.
        """
        whs = [(image.shape[1], image.shape[0]) for image in images_bgr] if image_whs is None else image_whs
        geometries = [plan_geometry(wh, self.input_hw, each) for wh, each in zip(whs, steps, strict=True)]
        answers: dict[int, PictureAnswer] = {}
        inference_s = 0.0
        for members in _by_canvas(geometries):
            batch = fill_batch(
                [images_bgr[member] for member in members],
                [geometries[member] for member in members],
                [steps[member] for member in members],
            )
            before = time.perf_counter()
            outputs = run_batch(self._engine, batch, self.batch_size, self._max_batch_size)
            inference_s += time.perf_counter() - before
            for position, member in enumerate(members):
                answers[member] = PictureAnswer(outputs=outputs, position=position, geometry=geometries[member])
        return [answers[position] for position in range(len(images_bgr))], inference_s

    def _check_size(self, package: ModelPackage) -> None:
        demanded = (self.batch_size or 1) * 3 * self.input_hw[0] * self.input_hw[1] * np.dtype(np.float32).itemsize
        if demanded > MOST_INPUT_BYTES:
            raise ModelLoadError(
                f"the network of {package.model_id!r} demands batches of {self.batch_size or 1} pictures of "
                f"{self.input_hw[1]}x{self.input_hw[0]} px, {demanded} bytes; at most {MOST_INPUT_BYTES} are served",
                package.model_id,
            )

    def _warm_up(self, package: ModelPackage) -> Outputs:
        size = self.batch_size or 1
        spec = self._engine.inputs[0]
        given = self._engine.run({spec.name: np.zeros((size, 3, *self.input_hw), dtype=spec.dtype)})
        outputs = [NetworkOutput(name=name, shape=value.shape) for name, value in given.items()]
        loose = [output for output in outputs if output.shape[:1] != (size,)]
        # Tables of anchors are found beside the outputs of a batch, and nobody reads them.
        if len(loose) == len(outputs) or any(len(output.shape) > MOST_AXES_OF_A_TABLE for output in loose):
            raise ModelLoadError(
                f"the network of {package.model_id!r} gives {listed(loose)} for a batch of {size}; the first axis of "
                "its outputs must be the batch",
                package.model_id,
            )
        return tuple(outputs)


def _input_shape(package: ModelPackage, engine: Engine) -> tuple[int | None, ...]:
    inputs = engine.inputs
    if len(inputs) == 1 and len(inputs[0].shape) == 4 and inputs[0].shape[1] in (3, None):
        return inputs[0].shape
    given = ", ".join(f"{spec.name}{list(spec.shape)}" for spec in inputs) or "nothing"
    raise ModelLoadError(
        f"the network of {package.model_id!r} takes {given}; a model for {package.task_type} takes one batch of "
        "pictures [batch, 3, height, width]",
        package.model_id,
    )


def _input_hw(shape: tuple[int | None, ...], steps: ImagePreprocessing) -> tuple[int, int]:
    height, width = steps.input_hw or (DEFAULT_SIDE_PX, DEFAULT_SIDE_PX)
    divisor = steps.size_divisor
    return (
        shape[2] or -(-height // divisor) * divisor,
        shape[3] or -(-width // divisor) * divisor,
    )


def _by_canvas(geometries: Sequence[Geometry]) -> list[list[int]]:
    members: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for position, geometry in enumerate(geometries):
        members[geometry.canvas_hw].append(position)
    return list(members.values())
