"""The immutable result of compiling a document: what to run, where, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workflows.block import Block, RunsOn
from workflows.definition.selectors import step_selector

Lineage = tuple[str, ...]
"""Which batches a value is an element of, outermost first; empty for a scalar. Its length is the dimensionality.

Each identifier is also the selector of a column that tells which positions exist in that batch, `$inputs` for the
request's own: an image without crops has a position in the request's batch and none below it.
"""

REQUEST_BATCH = "$inputs"
"""Identifier of the request's own batch."""


def input_lineage(name: str, dimensionality: int) -> Lineage:
    """Lineage of an input: empty for a parameter; each nesting of a batch input is a batch of its own."""
    if dimensionality == 0:
        return ()
    # no selector begins like this, so no name that a document gives can be mistaken for one
    return (REQUEST_BATCH, *(f"$batches.{level}.{name}" for level in range(1, dimensionality)))


def in_request_batch(lineage: Lineage) -> bool:
    """Whether each value belongs to one element of the request's batch."""
    return bool(lineage) and lineage[0] == REQUEST_BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPlan:
    """One declared input.

    Attributes:
        name: its name.
        batch: whether it must be sent and holds one value for each element; else it is a parameter.
        kinds: declared kinds.
        dimensionality: nesting of the value; 0 for a parameter.
        default: value of a parameter that was not sent.
    """

    name: str
    batch: bool
    kinds: tuple[str, ...]
    dimensionality: int
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where one value of a step property comes from.

    Attributes:
        selector: `$inputs.x` or `$steps.x.y`.
        field: the manifest field.
        key: position in the field's list or key in its dict; None when the selector is the whole value.
        lineage: of the selected value.
        declared_as: the name (alias) under which the document wrote the field.
        deeper_by: dimensions that the value has more than the step runs on; such values arrive as lists.
    """

    selector: str
    field: str
    key: int | str | None
    lineage: Lineage
    declared_as: str
    deeper_by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepPlan:
    """One step, checked and connected.

    Attributes:
        name: the step's name.
        block: its type.
        declared_type: the identifier the document used.
        literals: manifest field -> value for everything that is no selector (containers hold None at bound places).
        bindings: the selectors.
        lineage: of the elements it runs on; empty when it runs once.
        output_lineage: of its outputs.
        gates: flow-control steps that must have let an element through before this step may run on it.
        frame: selector of a column with the positions the step runs on; None when it runs once.
        declared: the step's JSON; parameters are checked against the manifest in its place.
    """

    name: str
    block: Block
    declared_type: str
    literals: Mapping[str, Any]
    bindings: tuple[Binding, ...]
    lineage: Lineage
    output_lineage: Lineage
    gates: tuple[str, ...] = ()
    frame: str | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def selector(self) -> str:
        """`$steps.<name>`."""
        return step_selector(self.name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """Steps that run one after another in the same place, and travel there as one call.

    Attributes:
        index: position in `Plan.stages`.
        runs_on: where.
        steps: names, in an order in which they can run.
        after: stages that must be over before this one starts.
        needs: selectors from outside the stage that its steps read (inputs included), gates of its steps included as
            `$steps.<gate>`, positions of batches as their identifiers.
        gives: selectors made here that other stages or the outputs read, decisions of gates and positions of batches
            included.
        per_element: whether the work can be cut into one unit for each element of the request's batch.
    """

    index: int
    runs_on: RunsOn
    steps: tuple[str, ...]
    after: tuple[int, ...]
    needs: tuple[str, ...]
    gives: tuple[str, ...]
    per_element: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """One declared output.

    Attributes:
        name: key in the response.
        selector: `$inputs.x`, `$steps.x.y` or `$steps.x.*`.
        coordinates_system: whether detections are moved into the frame of the uploaded image.
        kinds: of the selected value; for `.*` kinds of each property.
        lineage: of the selected value.
    """

    name: str
    selector: str
    coordinates_system: Literal["parent", "own"]
    kinds: tuple[str, ...] | Mapping[str, tuple[str, ...]]
    lineage: Lineage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """A document that can run.

    Attributes:
        definition_json: the document in canonical JSON; from it another process compiles the same plan.
        fingerprint: SHA-256 of `definition_json`, hexadecimal.
        inputs: by name.
        steps: by name, in an order in which they can run.
        stages: in an order in which they can run.
        outputs: in the document's order.
    """

    definition_json: bytes
    fingerprint: str
    inputs: Mapping[str, InputPlan]
    steps: Mapping[str, StepPlan]
    stages: tuple[Stage, ...]
    outputs: tuple[OutputPlan, ...]
