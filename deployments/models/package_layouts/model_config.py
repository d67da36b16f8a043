"""The layout around `model_config.json` and `inference_config.json`.

Unknown keys are accepted: packages of newer tools must stay readable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from deployments.models.errors import ModelPackageError, OtherRuntimeError
from deployments.models.image_preprocessing import (
    ImagePreprocessing,
    Normalization,
    ResizeMode,
)
from deployments.models.package_layouts.contents import (
    ClassScores,
    PackageContents,
    RecommendedThresholds,
    TextMaps,
    TextReading,
)
from deployments.models.package_layouts.doctr_config import DOCTR, DoctrConfig, doctr_model
from deployments.models.package_layouts.emulated_config import EmulatedConfig, emulated_model
from deployments.models.package_layouts.files import check_schema, read_class_names, read_json_object
from deployments.models.package_layouts.keypoints_metadata import read_skeletons
from deployments.models.package_layouts.picture_steps import (
    ContrastConfig,
    Side,
    StaticCropConfig,
    Switch,
    contrast_of,
    is_on,
    static_crop_of,
)
from deployments.models.package_layouts.triton_config import TritonConfig, triton_model
from deployments.models.tasks import Task

MODEL_CONFIG = "model_config.json"
TRITON = "triton"
TORCH = "torch"
EMULATED = "emulated"
INFERENCE_CONFIG = "inference_config.json"

Probability = Annotated[float, Field(ge=0, le=1)]
Triple = tuple[float, float, float]


class ImagePreProcessingConfig(BaseModel):
    """What is done to the picture before it is resized."""

    model_config = ConfigDict(validate_by_name=True)

    static_crop: StaticCropConfig | None = Field(default=None, alias="static-crop")
    contrast: ContrastConfig | None = None
    grayscale: Switch | None = None


class Size(BaseModel):
    """A size in pixels."""

    height: Side
    width: Side


class DynamicSizeMode(BaseModel):
    """Which other sizes the network takes."""

    type: Literal["pad-to-be-divisible", "any-size"]
    value: int = Field(default=1, ge=1)


class NetworkInputConfig(BaseModel):
    """What the network is fed."""

    training_input_size: Size | None = None
    dynamic_spatial_size_mode: DynamicSizeMode | None = None
    color_mode: Literal["rgb", "bgr"] = "rgb"
    resize_mode: ResizeMode = ResizeMode.LETTERBOX
    padding_value: int | None = Field(default=None, ge=0, le=255)
    input_channels: Literal[3] = 3
    scaling_factor: float | None = Field(default=None, gt=0)
    normalization: tuple[Triple, Triple] | None = None
    reduced_decoding: bool = False


class ForwardPassConfig(BaseModel):
    """Batches."""

    static_batch_size: int | None = Field(default=None, ge=1)
    max_dynamic_batch_size: int | None = Field(default=None, ge=1)


class NmsParameters(BaseModel):
    """What the package recommends; the other thresholds are the request's to say."""

    confidence_threshold: Probability | None = None


class PostProcessingConfig(BaseModel):
    """What becomes of the network's output."""

    type: str | None = None
    fused: bool = False
    nms_parameters: NmsParameters | None = None
    blank: Literal["first", "last"] = "last"
    confidence: Literal["minimum", "mean"] = "minimum"
    pixel_threshold: Probability | None = None
    region_threshold: Probability | None = None
    unclip_ratio: float | None = Field(default=None, ge=0, le=10)


class TextDetectionConfig(BaseModel):
    """How a text recognizer comes by the words on a picture of more than one line."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    single_line_confidence: Probability = 0.5


class ClassNameRemoval(BaseModel):
    """A class that the network scores and nobody is told of."""

    type: Literal["class_name_removal"]
    class_name: str


class InferenceConfig(BaseModel):
    """`inference_config.json`."""

    image_pre_processing: ImagePreProcessingConfig = Field(default_factory=ImagePreProcessingConfig)
    network_input: NetworkInputConfig
    forward_pass: ForwardPassConfig = Field(default_factory=ForwardPassConfig)
    post_processing: PostProcessingConfig = Field(default_factory=PostProcessingConfig)
    class_names_operations: list[ClassNameRemoval] | None = None
    vocabulary: str | None = None
    text_detection: TextDetectionConfig | None = None
    text_location: Literal["whole-image"] = "whole-image"


class RecommendedParameters(BaseModel):
    """Thresholds of an evaluation; both spellings of the keys occur."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    confidence: Probability | None = None
    per_class_confidence: dict[str, Probability] | None = None


class ModelConfig(BaseModel):
    """`model_config.json`."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str | None = None
    aliases: tuple[str, ...] = ()
    model_architecture: str | None = None
    task_type: str | None = None
    backend_type: str | None = None
    static_batch_size: int | None = Field(default=None, ge=1)
    recommended_parameters: RecommendedParameters | None = None
    sha256: dict[str, str] = Field(default_factory=dict)
    triton: TritonConfig | None = None
    doctr: DoctrConfig | None = None
    emulated: EmulatedConfig | None = None
    model_module: str | None = None


def read_model_config(directory: Path) -> PackageContents:
    """What the package in `directory` says.

    Raises:
        OtherRuntimeError: the weights are for another runtime, or come with code of their own.
        ModelPackageError: a file is missing or wrong.
    """
    path = directory / MODEL_CONFIG
    config = check_schema(ModelConfig, read_json_object(path), path, MODEL_CONFIG)
    if config.model_module is not None:
        raise OtherRuntimeError(
            f"{MODEL_CONFIG} names code of its own (model_module); only ONNX weights of known architectures run",
            str(path),
        )
    architecture = config.model_architecture.lower() if config.model_architecture else None
    if config.backend_type == TORCH and architecture == DOCTR:
        return _doctr_contents(config, path)
    if config.backend_type not in (None, "onnx", TRITON, EMULATED):
        raise OtherRuntimeError(
            f"{MODEL_CONFIG}: backend_type is {config.backend_type!r}; it must be 'onnx', export the weights to ONNX, "
            "or 'triton' for a model on a Triton server",
            str(path),
        )
    triton = triton_model(config.triton, path) if config.backend_type == TRITON else None
    emulated = emulated_model(config.emulated, path) if config.backend_type == EMULATED else None
    inference_path = directory / INFERENCE_CONFIG
    if not inference_path.is_file():
        raise ModelPackageError(
            f"{INFERENCE_CONFIG} is missing; it says how pictures are prepared", str(inference_path)
        )
    inference = check_schema(InferenceConfig, read_json_object(inference_path), inference_path, INFERENCE_CONFIG)
    recommended = config.recommended_parameters or RecommendedParameters()
    parameters = inference.post_processing.nms_parameters or NmsParameters()
    return PackageContents(
        declared_id=config.model_id,
        aliases=config.aliases,
        task_type=config.task_type,
        architecture=architecture,
        class_names=read_class_names(directory) or (),
        removed_classes=frozenset(each.class_name for each in inference.class_names_operations or ()),
        preprocessing=_preprocessing(inference, inference_path),
        default_confidence=parameters.confidence_threshold,
        graph_suppresses=inference.post_processing.fused,
        recommended=RecommendedThresholds(
            confidence=recommended.confidence, per_class_confidence=recommended.per_class_confidence or {}
        ),
        text_reading=_text_reading(inference, inference_path),
        class_scores=_class_scores(inference.post_processing),
        skeletons=read_skeletons(directory),
        text_maps=TextMaps(
            probabilities=inference.post_processing.fused,
            pixel=inference.post_processing.pixel_threshold,
            region=inference.post_processing.region_threshold,
            unclip_ratio=inference.post_processing.unclip_ratio,
        ),
        static_batch_size=config.static_batch_size or inference.forward_pass.static_batch_size,
        max_batch_size=inference.forward_pass.max_dynamic_batch_size,
        sha256=config.sha256,
        triton=triton,
        emulated=emulated,
    )


def _doctr_contents(config: ModelConfig, path: Path) -> PackageContents:
    """A predictor of docTR prepares pictures itself, so there is no second file."""
    if config.task_type not in (None, Task.TEXT_RECOGNITION):
        raise ModelPackageError(
            f"{MODEL_CONFIG}: task_type is {config.task_type!r}; a predictor of docTR is for "
            f"{Task.TEXT_RECOGNITION.value!r}",
            str(path),
        )
    doctr = doctr_model(config.doctr, path)
    return PackageContents(
        declared_id=config.model_id,
        aliases=config.aliases,
        task_type=Task.TEXT_RECOGNITION,
        architecture=DOCTR,
        weights_file=doctr.recognition_weights,
        sha256=config.sha256,
        doctr=doctr,
    )


def _preprocessing(inference: InferenceConfig, path: Path) -> ImagePreprocessing:
    image, network = inference.image_pre_processing, inference.network_input
    if network.normalization is not None and 0 in network.normalization[1]:
        raise ModelPackageError(
            f"{INFERENCE_CONFIG}: network_input.normalization has a standard deviation of 0", str(path)
        )
    size, mode = network.training_input_size, network.dynamic_spatial_size_mode
    return ImagePreprocessing(
        static_crop=static_crop_of(image.static_crop, path),
        grayscale=is_on(image.grayscale),
        contrast=contrast_of(image.contrast, path),
        resize_mode=network.resize_mode,
        input_hw=None if size is None else (size.height, size.width),
        padding_value=network.padding_value or 0,
        color_mode=network.color_mode,
        scaling_factor=network.scaling_factor,
        normalization=None
        if network.normalization is None
        else Normalization(mean=network.normalization[0], std=network.normalization[1]),
        size_divisor=1 if mode is None else mode.value,
        reduced_decoding=network.reduced_decoding,
    )


def _class_scores(config: PostProcessingConfig) -> ClassScores | None:
    if config.type not in (ClassScores.SOFTMAX, ClassScores.SIGMOID):
        return None
    return ClassScores.FINAL if config.fused else ClassScores(config.type)


def _text_reading(inference: InferenceConfig, path: Path) -> TextReading | None:
    if inference.vocabulary is None:
        return None
    if len(set(inference.vocabulary)) != len(inference.vocabulary):
        twice = sorted({character for character in inference.vocabulary if inference.vocabulary.count(character) > 1})
        raise ModelPackageError(f"{INFERENCE_CONFIG}: vocabulary names {twice} more than once", str(path))
    detection, post_processing = inference.text_detection, inference.post_processing
    return TextReading(
        vocabulary=inference.vocabulary,
        blank=post_processing.blank,
        probabilities=post_processing.fused,
        confidence=post_processing.confidence,
        text_detector_id=None if detection is None else detection.model_id,
        single_line_confidence=0.5 if detection is None else detection.single_line_confidence,
        text_location=inference.text_location,
    )
