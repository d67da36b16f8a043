"""What every model of whole pictures offers, whatever it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from deployments.models.detection.scored_boxes import ScoredBoxes
from deployments.models.package import ModelPackage
from deployments.models.timing import BatchTiming
from workflows.ports import PredictionOptions
from workflows.values.classification import Classification
from workflows.values.image import Pixels

Prediction = ScoredBoxes | Classification
"""What a model says about one picture; a classification without what only the asker knows, its image and call."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedBatch:
    """Answer to one batch.

    Attributes:
        predictions: one for each picture, in order.
        timing: where the time went.
    """

    predictions: Sequence[Prediction]
    timing: BatchTiming


@runtime_checkable
class ImageModel(Protocol):
    """A loaded model of one of the image tasks.

    Attributes:
        package: where it came from; its task decides what the predictions are.
        batch_size: the only batch that the graph takes; None when any will do.
        input_hw: height and width of the network's canvas, pixels.
    """

    package: ModelPackage
    batch_size: int | None
    input_hw: tuple[int, int]

    def needed_wh(self, image_wh: tuple[int, int], options: PredictionOptions) -> tuple[int, int]:
        """The smallest size at which a picture of `image_wh` may be given to `predict_batch`, pixels."""

    def predict_batch(
        self,
        images_bgr: Sequence[Pixels],
        options: Sequence[PredictionOptions],
        image_whs: Sequence[tuple[int, int]] | None = None,
    ) -> PredictedBatch:
        """What the model says about each picture, with one run of the network as long as its batch allows.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; may be empty.
            options: one for each picture.
            image_whs: width and height of each, pixels, where some are given smaller than they are, as `needed_wh`
                allows; all are as large as given without it. What is said is about the picture as large as it is.
        """
