"""How the executor reaches the places where steps run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from workflows.compiler.plan import Lineage, Plan, Stage, StepPlan, in_request_batch
from workflows.ports import Ports

Value = TypeVar("Value")
Position = tuple[int, ...]
"""Where an element stands: index in the request's batch, then in each nested batch. () for a scalar."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """All elements of one selector.

    Attributes:
        lineage: batches they are elements of.
        values: position -> value; None stands for an element that was filtered away. Every position that exists is
            here: an image without detections has no positions below it.
    """

    lineage: Lineage
    values: Mapping[Position, Any]

    def by_element(self, size: int) -> list[Column]:
        """The parts that belong to each of `size` elements of the request's batch; all of a scalar to each."""
        if not in_request_batch(self.lineage):
            return [self] * size
        parts: list[dict[Position, Any]] = [{} for _ in range(size)]
        for position, value in self.values.items():
            parts[position[0]][position] = value
        return [Column(lineage=self.lineage, values=part) for part in parts]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageUnit:
    """The part of a stage's work that belongs to one element of the request's batch (or to none, for scalars).

    Attributes:
        columns: selector -> column, cut down to positions that begin with the element's own; scalars whole.
        max_elements: elements that a step may make of the unit; None when there is no limit.
        max_cropped_pixels: pixels that all crops of the unit may have together; None when there is no limit.
        excluded_fields: outputs of the plan that the answer leaves out: their images need not be encoded.
    """

    columns: Mapping[str, Column]
    max_elements: int | None = None
    max_cropped_pixels: int | None = None
    excluded_fields: frozenset[str] = frozenset()

    def each_once(self, kind: type[Value]) -> list[Value]:
        """The values of a kind among its columns, each once however many elements share it."""
        values = (value for column in self.columns.values() for value in column.values.values())
        return list({id(value): value for value in values if isinstance(value, kind)}.values())


class Dispatcher(Protocol):
    """Runs stages where they belong, and gives steps their ports."""

    def ports(self, step: StepPlan) -> Ports:
        """What the step's block may ask for; made anew for each run of a step."""

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit) -> Mapping[str, Column]:
        """Run the steps of a stage on one unit, elsewhere or here; gives `stage.gives` of that unit.

        Raises:
            StepError: a step failed.
        """

    def step_done(self, step: StepPlan, compute_ms: float) -> None:
        """Hear that a step is over that ran where the executor is; of its ports' work the ports know themselves."""
