"""Which steps decide whether others run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflows.compiler.plan import Lineage
from workflows.compiler.references import StepReference
from workflows.definition.selectors import StepSelector
from workflows.errors import ControlFlowDefinitionError, ExecutionGraphStructureError


def gates_of_steps(references: Mapping[str, Sequence[StepReference]]) -> dict[str, tuple[str, ...]]:
    """Step -> the flow-control steps that name it as a next step, in the document's order.

    Args:
        references: step -> the selectors in its parameters.

    Raises:
        ExecutionGraphStructureError: a step names the same next step twice.
    """
    gates: dict[str, list[str]] = {name: [] for name in references}
    for gate, found in references.items():
        for reference in found:
            if not isinstance(reference.target, StepSelector):
                continue
            target = reference.target.step
            if gate in gates[target]:
                raise ExecutionGraphStructureError(
                    f"step {gate!r} names $steps.{target} as a next step more than once; name each target once"
                )
            gates[target].append(gate)
    return {name: tuple(found) for name, found in gates.items()}


def lineage_of_gates(step: str, gates: Mapping[str, Lineage], data: Lineage) -> Lineage:
    """The lineage that a step fed by `data` gets from the gates in front of it.

    A step that is fed by scalars only runs for each element its gates decide on.

    Args:
        step: its name, for the message.
        gates: name -> lineage of the elements that each gate decides on.
        data: common lineage of the step's own values; empty for scalars.

    Raises:
        ControlFlowDefinitionError: a gate decides on elements that the step's values are no part of.
    """
    longest = data
    for gate, lineage in gates.items():
        shorter, longer = sorted((lineage, longest), key=len)
        if longer[: len(shorter)] != shorter or (data and len(lineage) > len(data)):
            raise ControlFlowDefinitionError(
                f"step {gate!r} decides whether step {step!r} runs, but for other elements than {step!r} works on: "
                f"{describe_lineage(lineage)} against {describe_lineage(data)}; let {gate!r} decide on values from "
                f"which those of {step!r} were made"
            )
        longest = longer
    return longest


def describe_lineage(lineage: Lineage) -> str:
    """A lineage in words, such as `2 dimensions ($inputs, $steps.crop)`."""
    if not lineage:
        return "a single value"
    return f"{len(lineage)} dimension{'s' if len(lineage) > 1 else ''} ({', '.join(map(_batch_in_words, lineage))})"


def _batch_in_words(batch: str) -> str:
    if not batch.startswith("$batches."):
        return batch
    level, name = batch.removeprefix("$batches.").split(".", 1)
    return f"level {int(level) + 1} of $inputs.{name}"
