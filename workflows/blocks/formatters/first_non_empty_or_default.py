"""Take the first of several values that is there."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import AnyRef


class FirstNonEmptyOrDefault(BlockManifest):
    """Take the first of several values that is there."""

    human_name: ClassVar[str] = "First Non Empty Or Default"
    category: ClassVar[str] = "formatter"

    type: Literal["roboflow_core/first_non_empty_or_default@v1", "FirstNonEmptyOrDefault"]
    data: list[AnyRef] = Field(min_length=1, description="Values, the preferred one first; null ones are passed over.")
    default: Any = Field(default=None, description="What to answer when all are null.")


def run(data: list[Any], default: Any) -> dict[str, Any]:
    return {"output": next((value for value in data if value is not None), default)}


BLOCK = Block(FirstNonEmptyOrDefault, run, outputs={"output": (Kind.ANY,)}, runs_on=RunsOn.ROUTER, accepts_nulls=True)
