"""Find objects with a model named by its id."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import (
    BooleanRef,
    Fraction,
    FractionRef,
    ImageRef,
    IntegerRef,
    ListRef,
    ModelIdRef,
    PositiveInt,
    ProjectRef,
    StringRef,
)
from workflows.ports import ConfidenceMode, ObjectDetector, PredictionOptions, StepRun
from workflows.values.image import Image

DEFAULT_CONFIDENCE = 0.4


class ObjectDetectionManifest(BlockManifest):
    """Find objects with a model named by its id."""

    human_name: ClassVar[str] = "Object Detection Model"
    category: ClassVar[str] = "model"

    images: ImageRef = Field(
        validation_alias=AliasChoices("images", "image"), title="Image", description="Image to look at."
    )
    model_id: str | ModelIdRef = Field(description="Project and version of the model, such as plates/2.")
    class_filter: list[str] | ListRef | None = Field(
        default=None, description="Classes to keep; all of them when missing or empty."
    )
    iou_threshold: Fraction | FractionRef = Field(
        default=0.3, description="Overlap from which the weaker of two boxes is dropped."
    )
    max_detections: PositiveInt | IntegerRef = Field(default=300, description="Most boxes to keep on one image.")
    class_agnostic_nms: bool | BooleanRef | None = Field(
        default=False, description="Whether boxes of different classes drop one another."
    )
    max_candidates: PositiveInt | IntegerRef = Field(
        default=3000, description="Accepted for compatibility; all candidates are looked at."
    )
    disable_active_learning: bool | BooleanRef = Field(
        default=True, description="Accepted for compatibility; images are never collected."
    )
    active_learning_target_dataset: str | ProjectRef | None = Field(
        default=None, description="Accepted for compatibility; images are never collected."
    )


class ObjectDetectionModel(ObjectDetectionManifest):
    """Find objects with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_object_detection_model@v1", "RoboflowObjectDetectionModel", "ObjectDetectionModel"
    ]
    confidence: Fraction | FractionRef = Field(
        default=DEFAULT_CONFIDENCE, description="Score above which a box counts."
    )


class ObjectDetectionModelV2(ObjectDetectionModel):
    """Find objects with a model named by its id, and say which model it was."""

    type: Literal["roboflow_core/roboflow_object_detection_model@v2"]  # type: ignore[assignment]  # a field of its own


class ObjectDetectionModelV3(ObjectDetectionManifest):
    """Find objects with a model named by its id, from the score that the model recommends or one of your own."""

    type: Literal["roboflow_core/roboflow_object_detection_model@v3"]
    confidence_mode: Literal["best", "default", "custom"] | StringRef = Field(
        default="best", description="Where the least score comes from: the model's package, its default, or yourself."
    )
    custom_confidence: Fraction | FractionRef | None = Field(
        default=DEFAULT_CONFIDENCE, description="Score above which a box counts, in the mode custom."
    )


async def run(
    images: Image,
    model_id: str,
    confidence: float | ConfidenceMode,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    *,
    object_detector: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(
        confidence=confidence,
        iou_threshold=iou_threshold,
        max_detections=max_detections,
        class_agnostic_nms=bool(class_agnostic_nms),
        class_filter=tuple(class_filter) if class_filter else None,
    )
    width, height = images.wh
    return {
        "inference_id": step_run.inference_id,
        "predictions": await object_detector.detect(images, model_id, options),
        "image": {"width": width, "height": height},
    }


async def run_v2(
    images: Image,
    model_id: str,
    confidence: float | ConfidenceMode,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    *,
    object_detector: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    found = await run(
        images,
        model_id,
        confidence,
        class_filter,
        iou_threshold,
        max_detections,
        class_agnostic_nms,
        object_detector=object_detector,
        step_run=step_run,
    )
    return {**found, "model_id": model_id}


async def run_v3(
    images: Image,
    model_id: str,
    confidence_mode: str,
    custom_confidence: float | None,
    class_filter: list[str] | None,
    iou_threshold: float,
    max_detections: int,
    class_agnostic_nms: bool | None,
    *,
    object_detector: ObjectDetector,
    step_run: StepRun,
) -> dict[str, Any]:
    return await run_v2(
        images,
        model_id,
        least_score(confidence_mode, custom_confidence),
        class_filter,
        iou_threshold,
        max_detections,
        class_agnostic_nms,
        object_detector=object_detector,
        step_run=step_run,
    )


def least_score(mode: str, custom_confidence: float | None) -> float | ConfidenceMode:
    """The score from which boxes count, or whose choice it is.

    Raises:
        ValueError: no such mode.
    """
    match mode:
        case "custom":
            return DEFAULT_CONFIDENCE if custom_confidence is None else custom_confidence
        case "best" | "default":
            return mode
    raise ValueError(f"confidence_mode is {mode!r}; right are best, default and custom")


BLOCKS = (
    Block(
        ObjectDetectionModel,
        run,
        outputs={
            "inference_id": (Kind.STRING,),
            "predictions": (Kind.OBJECT_DETECTION_PREDICTION,),
            "image": (Kind.IMAGE_METADATA,),
        },
        runs_on=RunsOn.OBJECT_DETECTOR,
        batch_fields=("images",),
    ),
    *(
        Block(
            manifest,
            run_version,
            outputs={
                "inference_id": (Kind.INFERENCE_ID,),
                "predictions": (Kind.OBJECT_DETECTION_PREDICTION,),
                "model_id": (Kind.ROBOFLOW_MODEL_ID,),
                "image": (Kind.IMAGE_METADATA,),
            },
            runs_on=RunsOn.OBJECT_DETECTOR,
            batch_fields=("images",),
        )
        for manifest, run_version in ((ObjectDetectionModelV2, run_v2), (ObjectDetectionModelV3, run_v3))
    ),
)
