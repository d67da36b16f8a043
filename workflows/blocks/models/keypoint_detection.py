"""Find objects and their key points with a model named by its id."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.kinds import Kind
from workflows.manifest_fields import Fraction, FractionRef
from workflows.model_manifests import (
    DEFAULT_CONFIDENCE,
    BoxModelManifest,
    DefaultConfidence,
    GivenConfidence,
    least_score,
    model_blocks,
)
from workflows.ports import ObjectDetector, PredictionOptions, StepRun
from workflows.values.image import Image


class KeypointDetectionManifest(BoxModelManifest):
    """Find objects and their key points with a model named by its id."""

    human_name: ClassVar[str] = "Keypoint Detection Model"

    keypoint_confidence: Fraction | FractionRef = Field(default=0.0, description="Score from which a key point counts.")


class KeypointDetectionModel(GivenConfidence, KeypointDetectionManifest):
    """Find objects and their key points with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_keypoint_detection_model@v1",
        "RoboflowKeypointDetectionModel",
        "KeypointsDetectionModel",
    ]


class KeypointDetectionModelV2(GivenConfidence, KeypointDetectionManifest):
    """Find objects and their key points, and say which model it was."""

    type: Literal["roboflow_core/roboflow_keypoint_detection_model@v2"]


class KeypointDetectionModelV3(DefaultConfidence, KeypointDetectionManifest):
    """Find objects and their key points, from the score that is the model's default or one of your own."""

    type: Literal["roboflow_core/roboflow_keypoint_detection_model@v3"]


async def run(
    images: Image,
    model_id: str,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    keypoint_confidence: float,
    confidence: float = DEFAULT_CONFIDENCE,
    confidence_mode: str | None = None,
    custom_confidence: float | None = None,
    *,
    keypoint_detector: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(
        confidence=least_score(confidence, confidence_mode, custom_confidence),
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        class_agnostic_nms=bool(class_agnostic_nms),
        class_filter=tuple(class_filter) if class_filter else None,
        keypoint_confidence=keypoint_confidence,
    )
    return {
        "inference_id": step_run.inference_id,
        "predictions": await keypoint_detector.detect(images, model_id, options),
        "model_id": model_id,
    }


BLOCKS = model_blocks(
    run,
    {
        "inference_id": (Kind.INFERENCE_ID,),
        "predictions": (Kind.KEYPOINT_DETECTION_PREDICTION,),
        "model_id": (Kind.ROBOFLOW_MODEL_ID,),
    },
    KeypointDetectionModel,
    KeypointDetectionModelV2,
    KeypointDetectionModelV3,
)
