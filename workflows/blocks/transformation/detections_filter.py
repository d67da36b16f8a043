"""Keep the detections that pass a chain of operations."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, BlockManifest, RunsOn
from workflows.kinds import DETECTION_KINDS
from workflows.manifest_fields import AnyRef, DetectionsRef
from workflows.query.language import DEFAULT_OPERAND, Operations, run_chain
from workflows.values.detections import Detections
from workflows.values.wording import type_in_words


class DetectionsFilter(BlockManifest):
    """Keep the detections that pass a chain of operations."""

    human_name: ClassVar[str] = "Detections Filter"
    category: ClassVar[str] = "transformation"

    type: Literal["roboflow_core/detections_filter@v1", "DetectionsFilter"]
    predictions: DetectionsRef = Field(description="The detections to choose from.")
    operations: Operations = Field(description="Operations that each take detections and give detections.")
    operations_parameters: dict[str, AnyRef] = Field(
        default_factory=dict, description="Values that the operations may name; _ is taken by the detection at hand."
    )


def run(
    predictions: Detections, operations: Operations, operations_parameters: dict[str, Any]
) -> dict[str, Detections]:
    if DEFAULT_OPERAND in operations_parameters:
        raise ValueError(
            f"operations_parameters must not declare {DEFAULT_OPERAND!r}: inside a filter it is the detection at hand"
        )
    kept = run_chain(operations, predictions, operations_parameters)
    if not isinstance(kept, Detections):
        raise TypeError(f"the operations must end with detections, they end with {type_in_words(kept)}")
    return {"predictions": kept}


BLOCK = Block(
    DetectionsFilter,
    run,
    outputs={"predictions": DETECTION_KINDS},
    runs_on=RunsOn.ROUTER,
    batch_fields=("predictions",),
    batch_or_scalar_fields=("operations_parameters",),
)
