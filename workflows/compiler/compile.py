"""From a document to a plan, or to the one error that says why not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson

from workflows.block import Block
from workflows.compiler.flow import gates_of_steps
from workflows.compiler.lineage import step_lineage
from workflows.compiler.ordering import order_steps
from workflows.compiler.output_kinds import output_kinds
from workflows.compiler.plan import Binding, InputPlan, Lineage, OutputPlan, Plan, StepPlan, input_lineage
from workflows.compiler.references import StepReference, check_step_reference, literals_of, references_of
from workflows.compiler.stages import plan_stages
from workflows.definition.document import Document, parse_document
from workflows.definition.inputs import MAX_DIMENSIONALITY, WorkflowParameter
from workflows.definition.selectors import InputSelector, StepOutputSelector, parse_selector
from workflows.errors import ExecutionGraphStructureError, WorkflowSyntaxError
from workflows.query.patterns import PATTERN_ROOM, PatternRoom
from workflows.registry import blocks_by_identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileLimits:
    """How large a definition may be.

    Attributes:
        max_steps: steps in a definition.
    """

    max_steps: int = 200


DEFAULT_LIMITS = CompileLimits()


def compile_definition(
    document: Mapping[str, Any],
    limits: CompileLimits = DEFAULT_LIMITS,
    *,
    blocks: Mapping[str, Block] | None = None,
) -> Plan:
    """Check a definition from end to end and connect its steps.

    Args:
        document: the definition's JSON.
        limits: how large it may be.
        blocks: every identifier and alias -> its block; all that are installed when None.

    Raises:
        DefinitionError: the definition cannot run; its class says in which respect.
    """
    definition_json = canonical_json(document)
    parsed = parse_document(
        document,
        blocks_by_identifier() if blocks is None else blocks,
        max_steps=limits.max_steps,
        context={PATTERN_ROOM: PatternRoom()},
    )
    _check_dimensions(parsed)
    references = {step.name: references_of(step) for step in parsed.steps}
    for step in parsed.steps:
        for found in references[step.name]:
            check_step_reference(step, found, parsed)
    kinds = {output.name: output_kinds(parsed, output.name, output.selector) for output in parsed.outputs}
    gates = gates_of_steps(references)
    dependencies = {name: _dependencies(found, gates[name]) for name, found in references.items()}
    order = order_steps([step.name for step in parsed.steps], dependencies)
    steps = _connect(parsed, order, references, gates)
    outputs = tuple(
        OutputPlan(
            name=output.name,
            selector=output.selector,
            coordinates_system=output.coordinates_system,
            kinds=kinds[output.name],
            lineage=_lineage_of(output.selector, steps, parsed),
        )
        for output in parsed.outputs
    )
    return Plan(
        definition_json=definition_json,
        fingerprint=fingerprint_of(definition_json),
        inputs=MappingProxyType(_inputs(parsed)),
        steps=MappingProxyType(steps),
        stages=plan_stages(steps, dependencies, outputs),
        outputs=outputs,
    )


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """The document's JSON without blanks; keys keep their order, for some blocks it means something.

    Raises:
        WorkflowSyntaxError: it holds what JSON cannot.
    """
    try:
        return orjson.dumps(document)
    except TypeError as error:
        if "Recursion" in str(error):
            raise WorkflowSyntaxError("the definition is nested too deep; nothing in it needs 100 levels", []) from None
        raise WorkflowSyntaxError(f"the definition is not plain JSON: {error}", []) from None


def fingerprint_of(definition_json: bytes) -> str:
    """SHA-256 of a document's canonical JSON, hexadecimal."""
    return hashlib.sha256(definition_json).hexdigest()


def _check_dimensions(document: Document) -> None:
    for item in document.inputs:
        if item.dimensionality < 1 and not isinstance(item, WorkflowParameter):
            raise ExecutionGraphStructureError(
                f"input {item.name!r} has dimensionality {item.dimensionality}; a batch has at least 1: for a "
                "single value declare a WorkflowParameter"
            )
        if item.dimensionality > MAX_DIMENSIONALITY:
            raise ExecutionGraphStructureError(
                f"input {item.name!r} has dimensionality {item.dimensionality}; a batch has at most "
                f"{MAX_DIMENSIONALITY}"
            )


def _inputs(document: Document) -> dict[str, InputPlan]:
    return {
        item.name: InputPlan(
            name=item.name,
            batch=item.dimensionality > 0,
            kinds=item.kinds,
            dimensionality=item.dimensionality,
            default=item.default_value if isinstance(item, WorkflowParameter) else None,
        )
        for item in document.inputs
    }


def _dependencies(references: tuple[StepReference, ...], gates: tuple[str, ...]) -> set[str]:
    read = {r.target.step for r in references if isinstance(r.target, StepOutputSelector)}
    return read.union(gates)


def _connect(
    document: Document,
    order: tuple[str, ...],
    references: Mapping[str, tuple[StepReference, ...]],
    gates: Mapping[str, tuple[str, ...]],
) -> dict[str, StepPlan]:
    definitions = {step.name: step for step in document.steps}
    steps: dict[str, StepPlan] = {}
    for name in order:
        definition = definitions[name]
        bindings = [
            Binding(
                selector=found.text,
                field=found.field,
                key=found.key,
                lineage=_lineage_of(found.text, steps, document),
                declared_as=found.declared_as,
            )
            for found in references[name]
            if not found.points_to_step
        ]
        place = step_lineage(definition, bindings, {gate: steps[gate].lineage for gate in gates[name]})
        steps[name] = StepPlan(
            name=name,
            block=definition.block,
            declared_type=definition.declared_type,
            literals=MappingProxyType(literals_of(definition, references[name])),
            bindings=place.bindings,
            lineage=place.runs_on,
            output_lineage=place.gives,
            gates=gates[name],
            frame=place.frame,
            declared=definition.declared,
        )
    return steps


def _lineage_of(selector: str, steps: Mapping[str, StepPlan], document: Document) -> Lineage:
    target = parse_selector(selector)
    if isinstance(target, InputSelector):
        item = document.input_named(target.name)
        assert item is not None  # seen to by check_step_reference and output_kinds
        return input_lineage(item.name, item.dimensionality)
    assert isinstance(target, StepOutputSelector)  # others were refused above
    return steps[target.step].output_lineage
