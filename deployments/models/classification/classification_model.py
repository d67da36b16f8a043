"""A classifier: a package, a network that scores classes, and the way from its scores to names."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.classification.class_scores import are_shares, scores_of
from deployments.models.classification.named_classes import all_classes, best_class
from deployments.models.detection.class_names import check_classes_are_named, class_name
from deployments.models.detection.confidence import resolve_confidence
from deployments.models.detection.trained_steps import of_yolo
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError
from deployments.models.network_output import listed
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import ClassScores
from deployments.models.picture_model import PictureModel
from deployments.models.picture_network import PictureAnswer, PictureNetwork
from deployments.models.tasks import Task
from workflows.ports import PredictionOptions
from workflows.values.classification import Classification

logger = logging.getLogger(__name__)

SINGLE_LABEL_WORD_CONFIDENCE = 0.5
"""What `best` and `default` mean to a single-label classifier: the class it is surest of needs no threshold."""

DEFAULT_CONFIDENCE = 0.4


class ClassificationModel(PictureModel):
    """Names the classes of pictures: one class, or any number of them. Holds no state between calls.

    Any network will do that gives one score for each class, whatever its architecture is called.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's canvas, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the network takes something else than one batch of pictures, gives something else than one
            score for each class, or does not run.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        super().__init__(package, engine)
        # What letterboxes for a YOLO does so for every classifier of a fixed size.
        self._steps = self._network.steps_taken(of_yolo(package.preprocessing))
        removed = package.removed_class_ids
        self._answered = [each for each in range(_class_count(package, self._network)) if each not in removed]
        check_classes_are_named(package, len(self._answered))
        self._names = _names(package, len(self._answered))
        self._multi_label = package.task_type == Task.MULTI_LABEL_CLASSIFICATION
        self._kind = package.class_scores or self._guessed_kind()

    def _read(self, answer: PictureAnswer, options: PredictionOptions) -> Classification:
        """Classes of one picture."""
        scores = scores_of(_flat(answer.outputs[0][answer.position]), self._kind)[self._answered]
        if not self._multi_label:
            worded = isinstance(options.confidence, str)
            return best_class(
                scores, self._names, SINGLE_LABEL_WORD_CONFIDENCE if worded else float(options.confidence)
            )
        threshold = resolve_confidence(self.package, options.confidence, DEFAULT_CONFIDENCE)
        by_class = threshold[self._answered] if isinstance(threshold, np.ndarray) else threshold
        return all_classes(scores, self._names, by_class)

    def _guessed_kind(self) -> ClassScores:
        """For a package that does not say: classifiers are exported with and without the step to scores."""
        if self._multi_label:
            return ClassScores.SIGMOID
        blank = np.zeros((*self.input_hw, 3), dtype=np.uint8)
        (answer,), _ = self._network.run([blank], [self._steps])
        kind = ClassScores.FINAL if are_shares(_flat(answer.outputs[0][0])[None]) else ClassScores.SOFTMAX
        logger.info(
            "the package does not say what its outputs are; they tell",
            extra={"model_id": self.package.model_id, "outputs": str(kind)},
        )
        return kind


def _flat(outputs: NDArray[Any]) -> NDArray[np.float32]:
    return outputs.reshape(-1).astype(np.float32, copy=False)


def _class_count(package: ModelPackage, network: PictureNetwork) -> int:
    first = network.outputs[0]
    if len(first.shape) < 2 or any(length != 1 for length in first.shape[2:]):
        raise ModelLoadError(
            f"the network of {package.model_id!r} gives {listed(network.outputs)}; a classifier gives one score for "
            "each class [batch, classes]",
            package.model_id,
        )
    return first.shape[1]


def _names(package: ModelPackage, count: int) -> tuple[str, ...]:
    if len(package.class_names) != count:
        logger.warning(
            "class names do not fit the network; classes without a name are called by their number",
            extra={"model_id": package.model_id, "class_names": len(package.class_names), "network_classes": count},
        )
    return tuple(class_name(package, class_id) for class_id in range(count))
