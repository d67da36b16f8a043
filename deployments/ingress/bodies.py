"""What requests carry. Unknown keys are ignored everywhere: clients of other versions send more."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt
from pydantic_core import PydanticUseDefault

from deployments.ingress.sent_key import absent_key
from workflows.ports import MaskDecodeMode, PredictionOptions

MaskFormat = Literal["polygon", "rle"]

ApiKey = Annotated[str | None, BeforeValidator(absent_key)]


def _default_for_null(value: Any) -> Any:
    if value is None:
        raise PydanticUseDefault
    return value


NullIsDefault = BeforeValidator(_default_for_null)
"""Clients that write out every option send a null for those that nobody set."""

Flag = Annotated[bool, NullIsDefault]
Threshold = Annotated[float, NullIsDefault]


class RequestBody(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class KeyBody(RequestBody):
    """A body that holds a key at most."""

    api_key: ApiKey = None


class WorkflowRunBody(KeyBody):
    """What inline and saved runs have in common."""

    inputs: dict[str, Any] = Field(description="Images and parameters by the names the definition declares.")
    excluded_fields: list[str] | None = Field(default=None, description="Outputs to leave out of the answer.")
    enable_profiling: bool = False
    debug: bool = False
    workflow_id: str | None = None
    disable_sinks: bool = False


class InlineWorkflowBody(WorkflowRunBody):
    """A run of a definition that travels with the request."""

    specification: dict[str, Any] = Field(description="The definition.")
    is_preview: bool = False


class SavedWorkflowBody(WorkflowRunBody):
    """A run of a saved definition."""

    use_cache: bool = True
    workflow_version_id: str | None = None


class DescribeInterfaceBody(KeyBody):
    """The definition whose inputs and outputs are asked for."""

    specification: dict[str, Any]


class DescribeSavedInterfaceBody(KeyBody):
    """The key, and which version of the saved definition."""

    use_cache: bool = True
    workflow_version_id: str | None = None


class DescribeBlocksBody(KeyBody):
    """What the catalogue of blocks is asked for."""

    dynamic_blocks_definitions: list[dict[str, Any]] = []
    execution_engine_version: str | None = None


class ModelBody(KeyBody):
    """A model by its id."""

    model_id: str
    model_type: str | None = None


class ModelInferenceBody(KeyBody):
    """What all single-model requests share."""

    id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    image: Any = Field(description="One image object `{type, value}`, or a list of them.")
    disable_preproc_auto_orient: Flag = False
    disable_preproc_contrast: Flag = False
    disable_preproc_grayscale: Flag = False
    disable_preproc_static_crop: Flag = False


class PredictionBody(ModelInferenceBody):
    """What requests to models of whole images share."""

    model_id: str
    confidence: float | Literal["best", "default"] = 0.4
    visualize_predictions: Flag = False
    visualization_stroke_width: Annotated[int, NullIsDefault] = 1

    def options(self) -> PredictionOptions:
        """How the network's output becomes the answer."""
        return PredictionOptions(
            confidence=self.confidence,
            disable_contrast=self.disable_preproc_contrast,
            disable_grayscale=self.disable_preproc_grayscale,
            disable_static_crop=self.disable_preproc_static_crop,
        )


class ObjectDetectionBody(PredictionBody):
    """One request to an object detector."""

    class_agnostic_nms: Flag = False
    class_filter: list[str] | None = None
    iou_threshold: Threshold = 0.3
    max_detections: Annotated[PositiveInt, NullIsDefault] = 300
    visualization_labels: Flag = False

    def options(self) -> PredictionOptions:
        """How boxes become detections."""
        return replace(
            super().options(),
            iou_threshold=self.iou_threshold,
            max_detections=self.max_detections,
            class_agnostic_nms=self.class_agnostic_nms,
            class_filter=tuple(self.class_filter) if self.class_filter else None,
        )


class InstanceSegmentationBody(ObjectDetectionBody):
    """One request to an instance segmenter."""

    mask_decode_mode: Annotated[MaskDecodeMode, NullIsDefault] = "accurate"
    tradeoff_factor: Threshold = Field(default=0.0, ge=0, le=1)
    response_mask_format: MaskFormat = "polygon"

    def options(self) -> PredictionOptions:
        """The same, and how masks are worked out."""
        return replace(super().options(), mask_decode_mode=self.mask_decode_mode, tradeoff_factor=self.tradeoff_factor)


class KeypointDetectionBody(ObjectDetectionBody):
    """One request to a model of key points; nothing is known to be best for them."""

    confidence: float | Literal["default"] = 0.4
    keypoint_confidence: Threshold = 0.0

    def options(self) -> PredictionOptions:
        """The same, and which key points count."""
        return replace(super().options(), keypoint_confidence=self.keypoint_confidence)


class ClassificationBody(PredictionBody):
    """One request to a classifier."""


class AnyTaskBody(InstanceSegmentationBody):
    """One request to a model whose task decides what of it counts."""

    keypoint_confidence: Threshold = 0.0

    def options(self) -> PredictionOptions:
        """All of them."""
        return replace(super().options(), keypoint_confidence=self.keypoint_confidence)


class TextReadingBody(ModelInferenceBody):
    """One request to a text reader."""

    doctr_version_id: Annotated[str, NullIsDefault] = "default"
    model_id: str | None = None
    generate_bounding_boxes: Flag = False


PpOcrSize = Literal["none", "tiny", "small", "medium"]


class PpOcrBody(ModelInferenceBody):
    """One request to PP-OCR: the sizes of its two networks, or both in one text such as `small-small`."""

    text_detection: PpOcrSize | None = "small"
    text_recognition: PpOcrSize | None = "small"
    pp_ocr_version_id: str | None = None

    @property
    def model_id(self) -> str:
        """The model that the sizes name; a null is none, and what is named one by one wins."""
        detection, recognition = self.text_detection or "none", self.text_recognition or "none"
        if self.pp_ocr_version_id and not self.model_fields_set & {"text_detection", "text_recognition"}:
            return f"pp_ocr/{self.pp_ocr_version_id}"
        return f"pp_ocr/{detection}-{recognition}"
