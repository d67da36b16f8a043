"""What requests carry. Unknown keys are ignored everywhere: clients of other versions send more."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def absent_key(value: Any) -> Any:
    """None for what clients send when they have no key: the empty text, and `None` as a text."""
    return None if value in ("", "None") else value


ApiKey = Annotated[str | None, BeforeValidator(absent_key)]


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
    disable_preproc_auto_orient: bool = False
    disable_preproc_contrast: bool = False
    disable_preproc_grayscale: bool = False
    disable_preproc_static_crop: bool = False


class ObjectDetectionBody(ModelInferenceBody):
    """One request to an object detector."""

    model_id: str
    class_agnostic_nms: bool = False
    class_filter: list[str] | None = None
    confidence: float | Literal["best", "default"] = 0.4
    iou_threshold: float = 0.3
    max_detections: int = 300
    visualize_predictions: bool = False
    visualization_labels: bool = False
    visualization_stroke_width: int = 1


class TextReadingBody(ModelInferenceBody):
    """One request to a text reader."""

    doctr_version_id: str = "default"
    model_id: str | None = None
    generate_bounding_boxes: bool = False
