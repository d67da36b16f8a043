"""The selectors in a step's parameters, and what each of them points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.block import Element, Reference
from workflows.definition.document import Document, StepDefinition
from workflows.definition.nearest import suggest
from workflows.definition.selectors import (
    EVERY_PROPERTY,
    InputSelector,
    Selector,
    StepSelector,
    parse_selector,
)
from workflows.errors import (
    AssumptionError,
    BlockProblem,
    ExecutionGraphStructureError,
    InvalidReferenceTargetError,
    ReferenceTypeError,
)
from workflows.kinds import kinds_meet


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReference:
    """One selector in one step's parameters.

    Attributes:
        text: the selector as written.
        target: what it points to.
        field: the manifest field it stands in.
        key: position in the field's list or key in its dict; None when it is the whole value.
        declared_as: the name under which the document wrote the field.
        reference: what the field takes.
    """

    text: str
    target: Selector
    field: str
    key: int | str | None
    declared_as: str
    reference: Reference

    @property
    def points_to_step(self) -> bool:
        """Whether it names where an element goes next, rather than a value."""
        return self.reference.element is Element.STEP


def references_of(step: StepDefinition) -> tuple[StepReference, ...]:
    """Every selector in a step's parameters, in the order of its manifest."""
    return tuple(
        StepReference(
            text=text,
            target=target,
            field=field,
            key=key,
            declared_as=step.declared_names.get(field, field),
            reference=reference,
        )
        for field, key, text, reference in _selectors_in(step)
        if (target := parse_selector(text)) is not None
    )


def literals_of(step: StepDefinition, references: tuple[StepReference, ...]) -> dict[str, Any]:
    """Field -> value of everything that is no selector; containers hold None where a selector stood."""
    bound = {(r.field, r.key) for r in references if not r.points_to_step}
    literals: dict[str, Any] = {}
    for field in step.block.references:
        if (field, None) in bound:
            continue
        value = getattr(step.manifest, field)
        keys = {key for name, key in bound if name == field}
        if not keys:
            literals[field] = value
        elif isinstance(value, Mapping):
            literals[field] = {key: None if key in keys else item for key, item in value.items()}
        else:
            literals[field] = [None if index in keys else item for index, item in enumerate(value)]
    return literals


def _selectors_in(step: StepDefinition) -> Iterator[tuple[str, int | str | None, str, Reference]]:
    for field, places in step.block.references.items():
        value = getattr(step.manifest, field)
        if places.value is not None and places.value.matches(value):
            yield field, None, value, places.value
        elif places.items is not None and isinstance(value, list | tuple):
            for index, item in enumerate(value):
                if places.items.matches(item):
                    yield field, index, item, places.items
        elif places.values is not None and isinstance(value, Mapping):
            for key, item in value.items():
                if places.values.matches(item):
                    yield field, key, item, places.values


def check_step_reference(step: StepDefinition, found: StepReference, document: Document) -> None:
    """See that a selector points to something of a kind that the property takes.

    Raises:
        InvalidReferenceTargetError: there is no such input or step.
        ExecutionGraphStructureError: there is such a step, without that property.
        ReferenceTypeError: it has another kind, or is a value where a step is asked for.
    """
    kinds = _kinds_of_target(step, found, document)
    if found.points_to_step:
        if not isinstance(found.target, StepSelector):
            raise ReferenceTypeError(
                f"{found.declared_as!r} of step {step.name!r} takes whole steps ($steps.<step>); "
                f"{found.text!r} is a value"
            )
        return
    accepted = tuple(str(kind) for kind in found.reference.kinds)
    if not kinds_meet(kinds, accepted):
        raise ReferenceTypeError(
            f"{found.declared_as!r} of step {step.name!r} takes values of kind {', '.join(accepted)}; "
            f"{found.text!r} is of kind {', '.join(kinds)}"
        )


def _kinds_of_target(step: StepDefinition, found: StepReference, document: Document) -> tuple[str, ...]:
    if isinstance(found.target, InputSelector):
        kinds = input_kinds(document, found.target.name)
        if kinds is None:
            names = [item.name for item in document.inputs]
            raise _dangling(step, found, _no_such("input", found.target.name, names))
        return kinds
    if (target := step_named(document, found.target.step)) is None:
        names = [other.name for other in document.steps]
        raise _dangling(step, found, _no_such("step", found.target.step, names))
    if isinstance(found.target, StepSelector):
        return ()
    given = target.block.outputs.get(found.target.property)
    if given is None:
        details = (
            f"step {target.name!r} ({target.declared_type}) has no output {found.target.property!r}; "
            f"{suggest(found.target.property, target.block.outputs, what='outputs')}"
        )
        raise ExecutionGraphStructureError(
            f"{found.declared_as!r} of step {step.name!r} selects {found.text!r}, but {details}",
            [_problem(step, found, details)],
        )
    return tuple(str(kind) for kind in given)


def _no_such(what: str, name: str, known: list[str]) -> str:
    return f"no {what} {name!r}; {suggest(name, known, what=f'{what}s')}"


def _dangling(step: StepDefinition, found: StepReference, details: str) -> InvalidReferenceTargetError:
    return InvalidReferenceTargetError(
        f"{found.declared_as!r} of step {step.name!r} selects {found.text!r}: there is {details}",
        [_problem(step, found, f"{found.text!r} points to nothing: there is {details}")],
    )


def _problem(step: StepDefinition, found: StepReference, details: str) -> BlockProblem:
    return BlockProblem(
        step=step.name,
        block_type=step.declared_type,
        # the wire names the manifest's field here, and nothing for an entry of a list or object
        property_name=found.field if found.key is None else None,
        details=details,
    )


def output_kinds(document: Document, name: str, text: str) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Kinds of what an output of the workflow selects; for `.*` those of each property.

    Raises:
        InvalidReferenceTargetError: it selects nothing.
        AssumptionError: it selects a whole step.
    """
    target = parse_selector(text)
    if isinstance(target, InputSelector):
        kinds = input_kinds(document, target.name)
        if kinds is None:
            names = [item.name for item in document.inputs]
            raise _dangling_output(name, text, _no_such("input", target.name, names))
        return kinds
    if target is None:
        raise _dangling_output(name, text, "no such thing; write $inputs.<name> or $steps.<step>.<output>")
    step = step_named(document, target.step)
    if step is None:
        names = [other.name for other in document.steps]
        raise _dangling_output(name, text, _no_such("step", target.step, names))
    if isinstance(target, StepSelector):
        raise AssumptionError(
            f"output {name!r} selects the whole step {text!r}; select one of its outputs, or all of them as "
            f"{text + '.*'!r}"
        )
    outputs = {key: tuple(str(kind) for kind in kinds) for key, kinds in step.block.outputs.items()}
    if target.property == EVERY_PROPERTY:
        return outputs
    if target.property not in outputs:
        help_text = suggest(target.property, outputs, what="outputs")
        raise _dangling_output(
            name, text, f"no output {target.property!r} of step {step.name!r} ({step.declared_type}); {help_text}"
        )
    return outputs[target.property]


def _dangling_output(name: str, text: str, details: str) -> InvalidReferenceTargetError:
    problem = BlockProblem(step="$outputs", property_name=name, details=f"{text!r} points to nothing: {details}")
    return InvalidReferenceTargetError(f"output {name!r} selects {text!r}: there is {details}", [problem])


def input_kinds(document: Document, name: str) -> tuple[str, ...] | None:
    """Kinds of an input; None when there is none of that name."""
    return next((item.kinds for item in document.inputs if item.name == name), None)


def step_named(document: Document, name: str) -> StepDefinition | None:
    """The step of a name."""
    return next((step for step in document.steps if step.name == name), None)
