"""Find objects and the pixels they cover with a model named by its id."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.kinds import Kind
from workflows.manifest_fields import BooleanRef, Fraction, FractionRef, StringRef
from workflows.model_manifests import (
    DEFAULT_CONFIDENCE,
    BestConfidence,
    BoxModelManifest,
    GivenConfidence,
    least_score,
    model_block,
    model_blocks,
)
from workflows.ports import MaskDecodeMode, ObjectDetector, PredictionOptions, StepRun
from workflows.values.image import Image


class InstanceSegmentationManifest(BoxModelManifest):
    """Find objects and the pixels they cover with a model named by its id."""

    human_name: ClassVar[str] = "Instance Segmentation Model"

    mask_decode_mode: MaskDecodeMode | StringRef = Field(
        default="accurate",
        description="Size at which masks are worked out: the image's, the network's own, or one between the two.",
    )
    tradeoff_factor: Fraction | FractionRef = Field(
        default=0.0, description="In the mode tradeoff: 0 is the size of the network's masks, 1 that of the image."
    )


class DenseMasks(InstanceSegmentationManifest):
    """Versions that can be told how to hold masks inside."""

    enforce_dense_masks_in_inference_models: bool | BooleanRef = Field(
        default=True, description="Accepted for compatibility; how masks are held changes no answer."
    )


class InstanceSegmentationModel(GivenConfidence, DenseMasks):
    """Find objects and the pixels they cover with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_instance_segmentation_model@v1",
        "RoboflowInstanceSegmentationModel",
        "InstanceSegmentationModel",
    ]


class InstanceSegmentationModelV2(GivenConfidence, DenseMasks):
    """Find objects and the pixels they cover, and say which model it was."""

    type: Literal["roboflow_core/roboflow_instance_segmentation_model@v2"]


class InstanceSegmentationModelV3(BestConfidence, DenseMasks):
    """Find objects and the pixels they cover, from the score that the model recommends or one of your own."""

    type: Literal["roboflow_core/roboflow_instance_segmentation_model@v3"]


class InstanceSegmentationModelV4(BestConfidence, InstanceSegmentationManifest):
    """Find objects and the pixels they cover, answered as run lengths instead of outlines."""

    type: Literal["roboflow_core/roboflow_instance_segmentation_model@v4"]


async def run(
    images: Image,
    model_id: str,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    mask_decode_mode: MaskDecodeMode,
    tradeoff_factor: float,
    confidence: float = DEFAULT_CONFIDENCE,
    confidence_mode: str | None = None,
    custom_confidence: float | None = None,
    *,
    instance_segmenter: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(
        confidence=least_score(confidence, confidence_mode, custom_confidence),
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        class_agnostic_nms=bool(class_agnostic_nms),
        class_filter=tuple(class_filter) if class_filter else None,
        mask_decode_mode=mask_decode_mode,
        tradeoff_factor=tradeoff_factor,
    )
    return {
        "inference_id": step_run.inference_id,
        "predictions": await instance_segmenter.detect(images, model_id, options),
        "model_id": model_id,
    }


OUTLINES = (Kind.INSTANCE_SEGMENTATION_PREDICTION,)
RUN_LENGTHS = (Kind.RLE_INSTANCE_SEGMENTATION_PREDICTION, Kind.INSTANCE_SEGMENTATION_PREDICTION)

OUTPUTS = {
    "inference_id": (Kind.INFERENCE_ID,),
    "predictions": OUTLINES,
    "model_id": (Kind.ROBOFLOW_MODEL_ID,),
}

BLOCKS = (
    *model_blocks(run, OUTPUTS, InstanceSegmentationModel, InstanceSegmentationModelV2, InstanceSegmentationModelV3),
    model_block(run, {**OUTPUTS, "predictions": RUN_LENGTHS}, InstanceSegmentationModelV4),
)
