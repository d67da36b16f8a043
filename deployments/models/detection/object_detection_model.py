"""An object detector: a package, an engine that runs its network, and the way from pictures to boxes."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.architectures import (
    ARCHITECTURES,
    DetectionArchitecture,
    architecture_by_shape,
)
from deployments.models.detection.confidence import resolve_confidence
from deployments.models.detection.non_max_suppression import non_max_suppression
from deployments.models.detection.preprocessing import (
    Geometry,
    boxes_on_image,
    fill_batch,
    plan_geometry,
    steps_for,
)
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.image_model import PredictedBatch
from deployments.models.image_preprocessing import DEFAULT_SIDE_PX, LETTERBOX_GREY, ImagePreprocessing, ResizeMode
from deployments.models.package import ModelPackage
from deployments.models.timing import BatchTiming
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels

logger = logging.getLogger(__name__)


class ObjectDetectionModel:
    """Finds objects on batches of pictures. Holds no state between calls.

    The network runs once while the model is made: that warms it, and shows what shape its outputs have.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures, or does not run.
        UnsupportedModelError: no code here decodes its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._engine = engine
        if len(engine.inputs) != 1 or len(engine.inputs[0].shape) != 4 or engine.inputs[0].shape[1] not in (3, None):
            inputs = ", ".join(f"{spec.name}{list(spec.shape)}" for spec in engine.inputs)
            raise ModelLoadError(
                f"the network of {package.model_id!r} takes {inputs}; an object detector takes one batch of pictures "
                "[batch, 3, height, width]",
                package.model_id,
            )
        shape = engine.inputs[0].shape
        self.batch_size = shape[0] or package.static_batch_size
        self.input_hw = _input_hw(shape, package.preprocessing)
        blank = np.zeros((1, 3, *self.input_hw), dtype=np.float32)
        shapes = [output.shape for output in run_batch(engine, blank, self.batch_size)]
        self._architecture = _architecture(package, shapes)
        self._warn_of_names_that_do_not_fit(shapes)
        self._steps = _as_trained(package.preprocessing)

    def predict_batch(self, images_bgr: Sequence[Pixels], options: Sequence[PredictionOptions]) -> PredictedBatch:
        """Boxes on each picture, found with one run of the network as long as its batch allows.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; may be empty.
            options: one for each picture.
        """
        started = time.perf_counter()
        steps = [steps_for(self._steps, each) for each in options]
        geometries = [
            plan_geometry((image.shape[1], image.shape[0]), self.input_hw, each)
            for image, each in zip(images_bgr, steps, strict=True)
        ]
        found: list[ScoredBoxes | None] = [None] * len(images_bgr)
        inference_s = postprocess_s = 0.0
        for members in _by_canvas(geometries):
            batch = fill_batch(
                [images_bgr[member] for member in members],
                [geometries[member] for member in members],
                [steps[member] for member in members],
            )
            before = time.perf_counter()
            outputs = run_batch(self._engine, batch, self.batch_size, self.package.max_batch_size)
            after = time.perf_counter()
            for position, member in enumerate(members):
                found[member] = self._boxes(outputs, position, geometries[member], options[member])
            inference_s += after - before
            postprocess_s += time.perf_counter() - after
        total_s = time.perf_counter() - started
        return PredictedBatch(
            predictions=[boxes for boxes in found if boxes is not None],
            timing=BatchTiming(
                preprocess_ms=(total_s - inference_s - postprocess_s) * 1000,
                inference_ms=inference_s * 1000,
                postprocess_ms=postprocess_s * 1000,
            ),
        )

    def _boxes(
        self, outputs: Sequence[NDArray[Any]], position: int, geometry: Geometry, options: PredictionOptions
    ) -> ScoredBoxes:
        threshold = resolve_confidence(self.package, options.confidence, self._architecture.default_confidence)
        raw = self._architecture.decode(outputs, position, threshold)
        kept = non_max_suppression(
            raw.xyxy,
            raw.confidence,
            raw.class_id,
            iou_threshold=options.iou_threshold,
            max_detections=options.max_detections,
            class_agnostic=options.class_agnostic_nms,
        )
        names = [self._class_name(int(class_id)) for class_id in raw.class_id[kept]]
        if options.class_filter is not None:
            wanted = [index for index, name in enumerate(names) if name in options.class_filter]
            kept, names = kept[wanted], [names[index] for index in wanted]
        return ScoredBoxes(
            xyxy=boxes_on_image(raw.xyxy[kept], geometry),
            confidence=raw.confidence[kept],
            class_id=raw.class_id[kept],
            class_names=tuple(names),
        )

    def _class_name(self, class_id: int) -> str:
        names = self.package.class_names
        return names[class_id] if class_id < len(names) else str(class_id)

    def _warn_of_names_that_do_not_fit(self, shapes: Sequence[tuple[int, ...]]) -> None:
        named, scored = len(self.package.class_names), self._architecture.class_count(shapes)
        if named != scored:
            logger.warning(
                "class names do not fit the network; classes without a name are called by their number",
                extra={"model_id": self.package.model_id, "class_names": named, "network_classes": scored},
            )


def _input_hw(shape: tuple[int | None, ...], steps: ImagePreprocessing) -> tuple[int, int]:
    height, width = steps.input_hw or (DEFAULT_SIDE_PX, DEFAULT_SIDE_PX)
    divisor = steps.size_divisor
    return (
        shape[2] or -(-height // divisor) * divisor,
        shape[3] or -(-width // divisor) * divisor,
    )


def _architecture(package: ModelPackage, shapes: Sequence[tuple[int, ...]]) -> DetectionArchitecture:
    given = [list(shape) for shape in shapes]
    if package.graph_suppresses:
        raise UnsupportedModelError(
            f"the graph of {package.model_id!r} drops overlapping boxes itself (post_processing.fused); export it "
            "without that step",
            package.model_id,
        )
    if package.architecture is None:
        guessed = architecture_by_shape(shapes)
        if guessed is None:
            raise UnsupportedModelError(
                f"model {package.model_id!r} names no architecture, and outputs of shape {given} fit none; set "
                f"model_architecture to one of {', '.join(sorted(ARCHITECTURES))}",
                package.model_id,
            )
        return guessed
    known = ARCHITECTURES.get(package.architecture)
    if known is None:
        raise UnsupportedModelError(
            f"model {package.model_id!r} has architecture {package.architecture!r}; object detectors served here "
            f"are {', '.join(sorted(ARCHITECTURES))}",
            package.model_id,
        )
    if known.class_count(shapes) is None:
        raise ModelLoadError(
            f"model {package.model_id!r} says it is {package.architecture}, whose output is {known.layout}; its "
            f"network gives {given}",
            package.model_id,
        )
    return known


def _as_trained(steps: ImagePreprocessing) -> ImagePreprocessing:
    """The package's steps; what it calls `fit-longer-edge` is a grey letterbox for every YOLO."""
    if steps.resize_mode is ResizeMode.FIT_LONGER_EDGE:
        return replace(steps, resize_mode=ResizeMode.LETTERBOX, padding_value=LETTERBOX_GREY)
    return steps


def _by_canvas(geometries: Sequence[Geometry]) -> list[list[int]]:
    members: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for position, geometry in enumerate(geometries):
        members[geometry.canvas_hw].append(position)
    return list(members.values())
