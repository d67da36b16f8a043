"""Find objects with a model named by its id."""

from typing import Any, ClassVar, Literal

from workflows.kinds import Kind
from workflows.model_manifests import (
    DEFAULT_CONFIDENCE,
    BestConfidence,
    BoxModelManifest,
    GivenConfidence,
    least_score,
    model_blocks,
)
from workflows.ports import ObjectDetector, PredictionOptions, StepRun
from workflows.values.image import Image


class ObjectDetectionManifest(BoxModelManifest):
    """Find objects with a model named by its id."""

    human_name: ClassVar[str] = "Object Detection Model"


class ObjectDetectionModel(GivenConfidence, ObjectDetectionManifest):
    """Find objects with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_object_detection_model@v1", "RoboflowObjectDetectionModel", "ObjectDetectionModel"
    ]


class ObjectDetectionModelV2(GivenConfidence, ObjectDetectionManifest):
    """Find objects with a model named by its id, and say which model it was."""

    type: Literal["roboflow_core/roboflow_object_detection_model@v2"]


class ObjectDetectionModelV3(BestConfidence, ObjectDetectionManifest):
    """Find objects with a model named by its id, from the score that the model recommends or one of your own."""

    type: Literal["roboflow_core/roboflow_object_detection_model@v3"]


async def run(
    images: Image,
    model_id: str,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    confidence: float = DEFAULT_CONFIDENCE,
    confidence_mode: str | None = None,
    custom_confidence: float | None = None,
    *,
    object_detector: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(
        confidence=least_score(confidence, confidence_mode, custom_confidence),
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        class_agnostic_nms=bool(class_agnostic_nms),
        class_filter=tuple(class_filter) if class_filter else None,
    )
    width, height = images.wh
    return {
        "inference_id": step_run.inference_id,
        "predictions": await object_detector.detect(images, model_id, options),
        "model_id": model_id,
        "image": {"width": width, "height": height},
    }


BLOCKS = model_blocks(
    run,
    {
        "inference_id": (Kind.INFERENCE_ID,),
        "predictions": (Kind.OBJECT_DETECTION_PREDICTION,),
        "model_id": (Kind.ROBOFLOW_MODEL_ID,),
        "image": (Kind.IMAGE_METADATA,),
    },
    ObjectDetectionModel,
    ObjectDetectionModelV2,
    ObjectDetectionModelV3,
)
