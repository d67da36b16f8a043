"""Which elements a step runs on, seen from where its values come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workflows.compiler.flow import describe_lineage, lineage_of_gates
from workflows.compiler.plan import Binding, Lineage
from workflows.definition.document import StepDefinition
from workflows.definition.selectors import step_selector
from workflows.errors import (
    BlockProblem,
    ExecutionGraphStructureError,
    StepInputDimensionalityError,
    StepInputLineageError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLineage:
    """Where one step stands among the batches.

    Attributes:
        runs_on: lineage of the elements it runs on.
        gives: lineage of its outputs.
        frame: selector of a column with the positions it runs on; None when it runs once.
        bindings: its bindings, with the number of dimensions by which their values are deeper.
    """

    runs_on: Lineage
    gives: Lineage
    frame: str | None
    bindings: tuple[Binding, ...]


def step_lineage(step: StepDefinition, bindings: Sequence[Binding], gates: Mapping[str, Lineage]) -> StepLineage:
    """Where a step runs and what comes out of it.

    Args:
        step: the step.
        bindings: its values.
        gates: its gates -> lineage of the elements each decides on.

    Raises:
        ExecutionGraphStructureError: a batch feeds a property that takes one value.
        StepInputDimensionalityError: values of different depth meet.
        StepInputLineageError: values of equal depth but different origin meet.
        ControlFlowDefinitionError: a gate decides on other elements.
    """
    _refuse_batches_for_scalars(step, bindings)
    data = _common_lineage(step, bindings)
    lineage = lineage_of_gates(step.name, gates, data)
    runs_on = lineage[:-1] if step.block.output_offset == -1 and data else lineage
    placed = tuple(_placed(binding, runs_on) for binding in bindings)
    gives = (*runs_on, step_selector(step.name)) if step.block.output_offset == 1 else runs_on
    return StepLineage(runs_on=runs_on, gives=gives, frame=_frame(placed, gates, runs_on), bindings=placed)


def _placed(binding: Binding, runs_on: Lineage) -> Binding:
    deeper_by = max(len(binding.lineage) - len(runs_on), 0)
    return replace(binding, deeper_by=deeper_by)


def _frame(bindings: Sequence[Binding], gates: Mapping[str, Lineage], runs_on: Lineage) -> str | None:
    if not runs_on:
        return None
    for binding in bindings:
        if binding.lineage == runs_on:
            return binding.selector
    for gate, lineage in gates.items():
        if lineage == runs_on:
            return step_selector(gate)
    return runs_on[-1]


def _refuse_batches_for_scalars(step: StepDefinition, bindings: Sequence[Binding]) -> None:
    block = step.block
    if not block.batch_fields:
        return
    for binding in bindings:
        if binding.lineage and binding.field not in {*block.batch_fields, *block.batch_or_scalar_fields}:
            raise ExecutionGraphStructureError(
                f"{binding.declared_as!r} of step {step.name!r} takes one value for the whole request, but "
                f"{binding.selector!r} holds one for each element ({describe_lineage(binding.lineage)}); use a literal "
                "or a WorkflowParameter"
            )


def _common_lineage(step: StepDefinition, bindings: Sequence[Binding]) -> Lineage:
    offsets = step.block.input_offsets
    seen: dict[str, Lineage] = {}
    for binding in bindings:
        if not binding.lineage:
            continue
        offset = offsets.get(binding.field, 0)
        if offset > len(binding.lineage):
            raise _wrong_depth(step, bindings)
        seen[_label(binding)] = binding.lineage[: len(binding.lineage) - offset]
    if not seen:
        return ()
    if len({len(lineage) for lineage in seen.values()}) > 1:
        raise _wrong_depth(step, bindings)
    lineages = set(seen.values())
    if len(lineages) > 1:
        places = "; ".join(f"{label} {describe_lineage(lineage)}" for label, lineage in seen.items())
        raise StepInputLineageError(
            f"step {step.name!r} mixes values that were made of different elements: {places}; values of one step must "
            "come from the same batch"
        )
    return lineages.pop()


def _wrong_depth(step: StepDefinition, bindings: Sequence[Binding]) -> StepInputDimensionalityError:
    offsets = step.block.input_offsets
    places = "; ".join(f"{_label(b)} has {describe_lineage(b.lineage)}" for b in bindings if b.lineage)
    wanted = (
        "; ".join(
            f"{field!r} must be {offset:+d} against {step.block.dimension_reference!r}"
            for field, offset in offsets.items()
        )
        if offsets
        else "all must have equal depth: read them from the same batch, or collapse the deeper one"
    )
    problem = BlockProblem(step=step.name, block_type=step.declared_type, details=f"{places}; {wanted}")
    return StepInputDimensionalityError(
        f"step {step.name!r} mixes values of different depth: {places}; {wanted}", [problem]
    )


def _label(binding: Binding) -> str:
    place = "" if binding.key is None else f"[{binding.key!r}]"
    return f"{binding.declared_as}{place} = {binding.selector}"
