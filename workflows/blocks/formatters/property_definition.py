"""Compute a value from another with a chain of operations."""

import asyncio
from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import Kind
from workflows.manifest_fields import AnyRef
from workflows.query.language import Operations, run_chain, works_on_pixels


class PropertyDefinition(BlockManifest):
    """Compute a value from another with a chain of operations."""

    human_name: ClassVar[str] = "Property Definition"
    category: ClassVar[str] = "formatter"

    type: Literal["roboflow_core/property_definition@v1", "PropertyDefinition", "PropertyExtraction"]
    data: AnyRef = Field(description="The value to start from.")
    operations: Operations = Field(description="What to do with it, one operation after another.")


async def run(data: Any, operations: Operations) -> dict[str, Any]:
    # The block runs where values already are: a hop costs a hundred times what lower-casing a text does, and sizes of
    # images are known without decoding. The two operations that encode pictures leave the event loop for a thread.
    if works_on_pixels(operations):
        return {"output": await asyncio.to_thread(run_chain, operations, data)}
    return {"output": run_chain(operations, data)}


BLOCK = Block(PropertyDefinition, run, outputs={"output": (Kind.ANY,)}, runs_on=RunsOn.ROUTER)
