"""What a package says, whatever its layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.service_times import ServiceTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedThresholds:
    """Thresholds that an evaluation of the model found best.

    Attributes:
        confidence: for classes without one of their own; None when not evaluated.
        per_class_confidence: by class name.
    """

    confidence: float | None = None
    per_class_confidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMaps:
    """What a text detector's package says of the maps its network gives.

    Attributes:
        probabilities: whether they hold probabilities; otherwise logits.
        pixel: probability from which a pixel belongs to text; None for that of the architecture, so for the next two.
        region: mean probability from which a region counts.
        unclip_ratio: how far a region grows, in units of its area over its perimeter.
    """

    probabilities: bool = False
    pixel: float | None = None
    region: float | None = None
    unclip_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReading:
    """What a text recognizer's package says beyond its pictures.

    Attributes:
        vocabulary: characters in the order of the network's outputs.
        blank: whether the CTC blank comes before the first character or behind the last.
        probabilities: whether the network gives probabilities; otherwise logits.
        confidence: of a text, the lowest of all its time steps, or the mean of those that show a character.
        text_detector_id: the text detector that finds the words on pictures of more than one line; None for a
            recognizer that takes every picture for one line.
        single_line_confidence: confidence from which a crop in the shape of a line is taken to hold no more than that.
        text_location: how the text is found on a crop before it is read.
        critical_aspect_ratio: width over height above which a crop is read in pieces.
        piece_aspect_ratio: width over height of one piece.
        piece_overlap: part of a piece that the next one shows again.
        max_pieces: about so many pieces a crop becomes at most; of one that needs more, the pieces are wider.
    """

    vocabulary: str
    blank: Literal["first", "last"] = "last"
    probabilities: bool = False
    confidence: Literal["minimum", "mean"] = "minimum"
    text_detector_id: str | None = None
    single_line_confidence: float = 0.5
    text_location: Literal["whole-image"] = "whole-image"
    critical_aspect_ratio: float = 8.0
    piece_aspect_ratio: float = 6.0
    piece_overlap: float = 0.5
    max_pieces: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """The key points of the objects of one class.

    Attributes:
        names: by key point id.
        edges: pairs of ids that a line joins.
    """

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]


class ClassScores(StrEnum):
    """What the outputs of a classifier's network are."""

    SOFTMAX = "softmax"  # logits of classes of which one applies
    SIGMOID = "sigmoid"  # logits of classes of which any number may apply
    FINAL = "final"  # scores already


@dataclass(frozen=True, slots=True, kw_only=True)
class TritonModel:
    """A model on a Triton Inference Server, in place of weights in the package.

    Attributes:
        address: `host:port` of its gRPC door.
        tls: whether the connection is encrypted.
        model_name: what Triton calls the model.
        model_version: such as `3`; empty for the one that Triton chooses.
        batching: who puts items of many requests into one run: `sightline` sends the batch that its queues gathered,
            `triton` sends every item alone and at once, for Triton's dynamic batcher.
        shared_memory: `auto` passes tensors through memory that both have when the address is this machine's, `off`
            never does.
        root_certificates: file that the server's certificate is checked against; None for those of the system.
        timeout_s: longest wait for one run, whatever the request allows.
    """

    address: str
    tls: bool
    model_name: str
    model_version: str = ""
    batching: Literal["sightline", "triton"] = "sightline"
    shared_memory: Literal["auto", "off"] = "auto"
    root_certificates: Path | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctrModel:
    """A predictor of docTR, which torch runs with weights of the package.

    Attributes:
        detection: architecture of the text detector, such as `db_resnet50`.
        recognition: architecture of the text recognizer, such as `crnn_vgg16_bn`.
        detection_weights: name of a safetensors file in the folder.
        recognition_weights: the same of the text recognizer.
        vocabulary: characters in the order of the recognizer's outputs; None for that of its architecture.
    """

    detection: str
    recognition: str
    detection_weights: str
    recognition_weights: str
    vocabulary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EmulatedModel:
    """A network on an accelerator that is not there.

    Attributes:
        service_times: how long it takes.
        devices: how many stand behind one replica, each running one batch at a time.
        outputs: name -> what the network gives for any picture, float32, without the batch's axis.
    """

    service_times: ServiceTimes
    devices: int
    outputs: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageContents:
    """What the files of a package say.

    Attributes:
        declared_id: the id that the package gives itself; None when it gives none.
        aliases: further names that it gives itself.
        task_type: such as `object-detection`; None when the package does not say.
        architecture: such as `yolov8`, lower case; None when the package does not say.
        weights_file: name of the weights in the folder.
        class_names: by class id of the network; empty when the package has none.
        removed_classes: names among them that are not answered.
        preprocessing: pixels to network input.
        default_confidence: the model's own threshold; None when the package does not say.
        graph_suppresses: whether the graph drops overlapping boxes itself.
        recommended: thresholds found best.
        text_reading: for text recognizers.
        class_scores: for classifiers; None when the package does not say.
        skeletons: for models of key points, by class id.
        text_maps: for text detectors.
        static_batch_size: the only batch that the graph takes; None when it takes any.
        max_batch_size: largest batch that is worth while; None when the package does not say.
        sha256: hexadecimal checksum by file name.
        triton: where the model runs when the folder holds no weights.
        doctr: for predictors of docTR; None for all others.
        emulated: what stands in for weights that do not exist; None for all that compute.
    """

    declared_id: str | None = None
    aliases: tuple[str, ...] = ()
    task_type: str | None = None
    architecture: str | None = None
    weights_file: str = "weights.onnx"
    class_names: tuple[str, ...] = ()
    removed_classes: frozenset[str] = frozenset()
    preprocessing: ImagePreprocessing = field(default_factory=ImagePreprocessing)
    default_confidence: float | None = None
    graph_suppresses: bool = False
    recommended: RecommendedThresholds = field(default_factory=RecommendedThresholds)
    text_reading: TextReading | None = None
    class_scores: ClassScores | None = None
    skeletons: tuple[Skeleton, ...] = ()
    text_maps: TextMaps = field(default_factory=TextMaps)
    static_batch_size: int | None = None
    max_batch_size: int | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    triton: TritonModel | None = None
    doctr: DoctrModel | None = None
    emulated: EmulatedModel | None = None
