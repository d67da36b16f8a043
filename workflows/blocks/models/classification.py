"""Say which one of its classes an image belongs to, with a model named by its id."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

from workflows.kinds import Kind
from workflows.model_manifests import (
    DEFAULT_CONFIDENCE,
    DefaultConfidence,
    GivenConfidence,
    ModelManifest,
    least_score,
    model_blocks,
)
from workflows.ports import Classifier, PredictionOptions, StepRun
from workflows.values.image import Image


class ClassificationManifest(ModelManifest):
    """Say which one of its classes an image belongs to, with a model named by its id."""

    human_name: ClassVar[str] = "Single-Label Classification Model"


class ClassificationModel(GivenConfidence, ClassificationManifest):
    """Say which one of its classes an image belongs to, with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_classification_model@v1", "RoboflowClassificationModel", "ClassificationModel"
    ]


class ClassificationModelV2(GivenConfidence, ClassificationManifest):
    """Say which one of its classes an image belongs to, and which model was asked."""

    type: Literal["roboflow_core/roboflow_classification_model@v2"]


class ClassificationModelV3(DefaultConfidence, ClassificationManifest):
    """Say which one of its classes an image belongs to, listing those above a score of the model's or your own."""

    type: Literal["roboflow_core/roboflow_classification_model@v3"]


async def run(
    images: Image,
    model_id: str,
    confidence: float = DEFAULT_CONFIDENCE,
    confidence_mode: str | None = None,
    custom_confidence: float | None = None,
    *,
    classifier: Classifier,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(confidence=least_score(confidence, confidence_mode, custom_confidence))
    found = await classifier.classify(images, model_id, options)
    return {
        "predictions": replace(found, inference_id=step_run.inference_id),
        "inference_id": step_run.inference_id,
        "model_id": model_id,
    }


BLOCKS = model_blocks(
    run,
    {
        "predictions": (Kind.CLASSIFICATION_PREDICTION,),
        "inference_id": (Kind.INFERENCE_ID,),
        "model_id": (Kind.ROBOFLOW_MODEL_ID,),
    },
    ClassificationModel,
    ClassificationModelV2,
    ClassificationModelV3,
)
