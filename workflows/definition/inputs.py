"""The inputs a document may declare."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from workflows.kinds import Kind

MAX_DIMENSIONALITY = 16
"""Deepest nesting of an input; each level is a batch of its own, kept by every plan."""


def _kind_name(value: Any) -> Any:
    """Kinds may be written as their name or as the object that the catalogue of blocks shows."""
    return value["name"] if isinstance(value, dict) and isinstance(value.get("name"), str) else value


KindName = Annotated[str, BeforeValidator(_kind_name)]
InputName = Annotated[str, Field(description="Name of the input, unique in the workflow.")]


class _Input(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: InputName


class _InputOfAnyKind(_Input):
    kind: list[KindName] = Field(default=[Kind.ANY], description="Kinds of the value.")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the value."""
        return tuple(str(kind) for kind in self.kind)


class WorkflowImage(_Input):
    """An image, or one for each element of the batch."""

    type: Literal["WorkflowImage", "InferenceImage"]
    kind: list[KindName] = Field(default=[Kind.IMAGE], description="Kinds of the value; images always.")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the value."""
        return (str(Kind.IMAGE),)

    @property
    def dimensionality(self) -> int:
        """Nesting of the value."""
        return 1


class WorkflowVideoMetadata(_Input):
    """The place of a frame in its video, for each element of the batch."""

    type: Literal["WorkflowVideoMetadata"]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the value."""
        return (str(Kind.VIDEO_METADATA),)

    @property
    def dimensionality(self) -> int:
        """Nesting of the value."""
        return 1


class WorkflowBatchInput(_InputOfAnyKind):
    """A value for each element of the batch, or nested lists of values."""

    type: Literal["WorkflowBatchInput"]
    dimensionality: int = Field(
        default=1,
        description="Nesting of the value: 1 is one value an element.",
        # other values are an error of the graph, not of the syntax
        json_schema_extra={"minimum": 1, "maximum": MAX_DIMENSIONALITY},
    )


class WorkflowParameter(_InputOfAnyKind):
    """One value for the whole request."""

    type: Literal["WorkflowParameter", "InferenceParameter"]
    default_value: Any = Field(default=None, description="Value when none is sent.")

    @property
    def dimensionality(self) -> int:
        """Nesting of the value."""
        return 0


InputDefinition = Annotated[
    WorkflowImage | WorkflowVideoMetadata | WorkflowBatchInput | WorkflowParameter, Field(discriminator="type")
]

INPUT_TYPES: dict[str, type[WorkflowImage | WorkflowVideoMetadata | WorkflowBatchInput | WorkflowParameter]] = {
    "WorkflowImage": WorkflowImage,
    "InferenceImage": WorkflowImage,
    "WorkflowVideoMetadata": WorkflowVideoMetadata,
    "WorkflowBatchInput": WorkflowBatchInput,
    "WorkflowParameter": WorkflowParameter,
    "InferenceParameter": WorkflowParameter,
}
"""Every `type` an input may have."""
