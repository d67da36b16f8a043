"""An object detector: a package, a network, and the way from what it gives to boxes on the picture."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.models.detection.architecture import Selection
from deployments.models.detection.architecture_choice import choose_architecture
from deployments.models.detection.class_names import answered_classes, class_name
from deployments.models.detection.confidence import resolve_confidence
from deployments.models.detection.non_max_suppression import non_max_suppression
from deployments.models.detection.outputs import of_picture
from deployments.models.detection.preprocessing import boxes_on_image, steps_for
from deployments.models.detection.raw_boxes import RawBoxes
from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.engines.engine import Engine
from deployments.models.image_model import PredictedBatch
from deployments.models.package import ModelPackage
from deployments.models.picture_network import PictureAnswer, PictureNetwork
from deployments.models.timing import BatchTiming
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels

logger = logging.getLogger(__name__)


class ObjectDetectionModel:
    """Finds objects on batches of pictures. Holds no state between calls.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures, gives something else than its
            architecture, or does not run.
        UnsupportedModelError: no code here decodes its architecture.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        self.package = package
        self._network = PictureNetwork(package, engine)
        self.batch_size, self.input_hw = self._network.batch_size, self._network.input_hw
        self._architecture, self._roles = choose_architecture(package, self._network.outputs, self.input_hw)
        self._steps = self._network.steps_taken(self._architecture.trained_with(package.preprocessing))
        self._say_what_was_assumed()

    @property
    def architecture_name(self) -> str:
        """Which code reads the network's outputs: as the package says, or as they look."""
        return self._architecture.name

    def predict_batch(self, images_bgr: Sequence[Pixels], options: Sequence[PredictionOptions]) -> PredictedBatch:
        """Boxes on each picture, found with one run of the network as long as its batch allows.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; may be empty.
            options: one for each picture.
        """
        started = time.perf_counter()
        answers, inference_s = self._network.run(images_bgr, [steps_for(self._steps, each) for each in options])
        before = time.perf_counter()
        found = [self._boxes(answer, each) for answer, each in zip(answers, options, strict=True)]
        ended = time.perf_counter()
        return PredictedBatch(
            predictions=found,
            timing=BatchTiming(
                preprocess_ms=(before - started - inference_s) * 1000,
                inference_ms=inference_s * 1000,
                postprocess_ms=(ended - before) * 1000,
            ),
        )

    def _boxes(self, answer: PictureAnswer, options: PredictionOptions) -> ScoredBoxes:
        architecture, geometry = self._architecture, answer.geometry
        threshold = resolve_confidence(self.package, options.confidence, architecture.default_confidence)
        raw = architecture.decode(of_picture(answer.outputs, self._roles, answer.position), threshold).finite()
        raw = answered_classes(raw, self.package, unnamed_is_background=architecture.unnamed_is_background)
        kept = self._select(raw, options)
        names = [class_name(self.package, int(class_id)) for class_id in raw.class_id[kept]]
        if options.class_filter is not None:
            wanted = [index for index, name in enumerate(names) if name in options.class_filter]
            kept, names = kept[wanted], [names[index] for index in wanted]
        xyxy = raw.xyxy[kept]
        if architecture.boxes_are_fractions:
            height, width = geometry.canvas_hw
            xyxy = xyxy * np.array([width, height, width, height], dtype=np.float32)
        return ScoredBoxes(
            xyxy=boxes_on_image(xyxy, geometry),
            confidence=raw.confidence[kept],
            class_id=raw.class_id[kept],
            class_names=tuple(names),
        )

    def _select(self, raw: RawBoxes, options: PredictionOptions) -> NDArray[np.int64]:
        """Positions of the boxes that are answered."""
        match self._architecture.selection:
            case Selection.SUPPRESSION:
                return non_max_suppression(
                    raw.xyxy,
                    raw.confidence,
                    raw.class_id,
                    iou_threshold=options.iou_threshold,
                    max_detections=options.max_detections,
                    class_agnostic=options.class_agnostic_nms,
                )
            case Selection.FIRST:
                return np.arange(min(len(raw.class_id), options.max_detections))
            case Selection.ALL:
                return np.arange(len(raw.class_id))

    def _say_what_was_assumed(self) -> None:
        package, steps = self.package, self._steps
        if not package.preprocessing.complete:
            logger.info(
                "the package leaves the preparation of pictures to the architecture",
                extra={
                    "model_id": package.model_id,
                    "architecture": self._architecture.name,
                    "resize_mode": str(steps.resize_mode),
                    "padding_value": steps.padding_value,
                    "input_hw": list(self.input_hw),
                },
            )
        named, scored = len(package.class_names) + len(package.removed_class_ids), self._roles.class_count
        fits = scored is None or named == scored
        if self._architecture.unnamed_is_background:
            fits = scored is not None and 0 < named <= scored
        if not fits:
            logger.warning(
                "class names do not fit the network; classes without a name are called by their number",
                extra={"model_id": package.model_id, "class_names": named, "network_classes": scored},
            )
