"""Gather the elements of the innermost dimension into one list."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import AnyRef


class DimensionCollapse(BlockManifest):
    """Gather the elements of the innermost dimension into one list."""

    human_name: ClassVar[str] = "Dimension Collapse"
    category: ClassVar[str] = "fusion"

    type: Literal["roboflow_core/dimension_collapse@v1", "DimensionCollapse"]
    data: AnyRef = Field(description="The values to gather; null ones are left out.")


def run(data: list[Any]) -> dict[str, list[Any]]:
    return {"output": [value for value in data if value is not None]}


BLOCK = Block(
    DimensionCollapse,
    run,
    outputs={"output": (Kind.LIST_OF_VALUES,)},
    runs_on=RunsOn.ROUTER,
    output_offset=-1,
    batch_fields=("data",),
)
