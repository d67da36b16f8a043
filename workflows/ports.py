"""What a block may ask of the world outside it.

A block's `run` names a port as a keyword-only parameter: a handle in the cluster, three lines in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from workflows.values.classification import Classification
from workflows.values.detections import Detections
from workflows.values.image import Image
from workflows.values.recognized_text import RecognizedText

ConfidenceMode = Literal["best", "default"]
MaskDecodeMode = Literal["accurate", "tradeoff", "fast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionOptions:
    """How the output of a model becomes detections or classes; what a model has no use for does not matter to it.

    Attributes:
        confidence: score from which a box (strict) or class counts, or the threshold the model's package recommends.
        iou_threshold: overlap from which the weaker of two boxes is dropped.
        max_detections: boxes kept for one image.
        class_agnostic_nms: whether boxes of different classes suppress one another.
        class_filter: names to keep, applied after `max_detections`; None keeps all.
        mask_decode_mode: at which size masks are worked out: that of the image, that of the network's own masks, or one
            between the two.
        tradeoff_factor: for the mode between: 0 is the size of the network's masks, 1 that of the image.
        keypoint_confidence: score from which a key point counts.
        disable_contrast: leave out what the package prepares; the same for the next two.
        disable_grayscale: see above.
        disable_static_crop: see above.
    """

    confidence: float | ConfidenceMode = 0.4
    iou_threshold: float = 0.3
    max_detections: int = 300
    class_agnostic_nms: bool = False
    class_filter: tuple[str, ...] | None = None
    mask_decode_mode: MaskDecodeMode = "accurate"
    tradeoff_factor: float = 0.0
    keypoint_confidence: float = 0.0
    disable_contrast: bool = False
    disable_grayscale: bool = False
    disable_static_crop: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that a selector may have given.

        Raises:
            ValueError: fewer than one detection.
        """
        if self.max_detections < 1:
            raise ValueError(f"max_detections is {self.max_detections}; it must be at least 1")


class ObjectDetector(Protocol):
    """Finds objects on images with any of the models it serves."""

    async def detect(self, image: Image, model_id: str, options: PredictionOptions) -> Detections:
        """Detections in the image's own pixels, with fresh ids and the image as their parent.

        Raises:
            ClientCausedStepExecutionError: no model has this id, or it is no object detector.
        """


class Classifier(Protocol):
    """Says which of its classes apply to images, with any of the models it serves."""

    async def classify(self, image: Image, model_id: str, options: PredictionOptions) -> Classification:
        """Classes of the image, which is their parent; the identity of the call is missing.

        Raises:
            ClientCausedStepExecutionError: no model has this id, or it is no such classifier.
        """


class TextReader(Protocol):
    """Reads the text on images."""

    async def read(self, image: Image, model_id: str | None = None) -> RecognizedText:
        """Text of the image; empty when there is none.

        Args:
            image: of any size.
            model_id: which text reader; None for the one that the server is set up with.

        Raises:
            ClientCausedStepExecutionError: no model has this id, or it reads no text.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One execution of one step for one request.

    Attributes:
        inference_id: identity shared by everything this step's model call returns, for all elements of the batch.
        memory: what the step keeps for the session: over HTTP one request, all elements of its batch.
    """

    inference_id: str
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All there is to ask for; a block's keyword-only parameters are names of these fields.

    The detections of an instance segmenter have masks, those of a key point detector key points.
    """

    object_detector: ObjectDetector
    instance_segmenter: ObjectDetector
    keypoint_detector: ObjectDetector
    classifier: Classifier
    multi_label_classifier: Classifier
    text_reader: TextReader
    step_run: StepRun
