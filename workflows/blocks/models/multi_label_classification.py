"""Say which of its classes apply to an image, any number of them, with a model named by its id."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

from workflows.kinds import Kind
from workflows.model_manifests import (
    DEFAULT_CONFIDENCE,
    BestConfidence,
    GivenConfidence,
    ModelManifest,
    least_score,
    model_blocks,
)
from workflows.ports import Classifier, PredictionOptions, StepRun
from workflows.values.image import Image


class MultiLabelClassificationManifest(ModelManifest):
    """Say which of its classes apply to an image, any number of them, with a model named by its id."""

    human_name: ClassVar[str] = "Multi-Label Classification Model"


class MultiLabelClassificationModel(GivenConfidence, MultiLabelClassificationManifest):
    """Say which of its classes apply to an image, any number of them, with a model named by its id."""

    type: Literal[
        "roboflow_core/roboflow_multi_label_classification_model@v1",
        "RoboflowMultiLabelClassificationModel",
        "MultiLabelClassificationModel",
    ]


class MultiLabelClassificationModelV2(GivenConfidence, MultiLabelClassificationManifest):
    """Say which of its classes apply to an image, and which model was asked."""

    type: Literal["roboflow_core/roboflow_multi_label_classification_model@v2"]


class MultiLabelClassificationModelV3(BestConfidence, MultiLabelClassificationManifest):
    """Say which of its classes apply to an image, from the scores that the model recommends or one of your own."""

    type: Literal["roboflow_core/roboflow_multi_label_classification_model@v3"]


async def run(
    images: Image,
    model_id: str,
    confidence: float = DEFAULT_CONFIDENCE,
    confidence_mode: str | None = None,
    custom_confidence: float | None = None,
    *,
    multi_label_classifier: Classifier,
    step_run: StepRun,
) -> dict[str, Any]:
    options = PredictionOptions(confidence=least_score(confidence, confidence_mode, custom_confidence))
    found = await multi_label_classifier.classify(images, model_id, options)
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
    MultiLabelClassificationModel,
    MultiLabelClassificationModelV2,
    MultiLabelClassificationModelV3,
)
