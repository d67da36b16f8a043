"""The selectors in a step's parameters, and what each of them points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.definition.document import Document, StepDefinition
from workflows.definition.nearest import suggest
from workflows.definition.selectors import InputSelector, Selector, StepSelector, parse_selector
from workflows.errors import (
    BlockProblem,
    ExecutionGraphStructureError,
    InvalidReferenceTargetError,
    ReferenceTypeError,
)
from workflows.kinds import kinds_meet
from workflows.manifest_fields import Element, Reference


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
            f"{found.text!r} is of {'kind ' + ', '.join(kinds) if kinds else 'no kind'}"
        )


def _kinds_of_target(step: StepDefinition, found: StepReference, document: Document) -> tuple[str, ...]:
    if isinstance(found.target, InputSelector):
        item = document.input_named(found.target.name)
        if item is None:
            raise _dangling(step, found, no_such_input(found.target.name, document))
        return item.kinds
    if (target := document.step_named(found.target.step)) is None:
        raise _dangling(step, found, no_such_step(found.target.step, document))
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


def no_such_input(name: str, document: Document) -> str:
    """Words for an input that nobody declared."""
    return f"no input {name!r}; {suggest(name, [item.name for item in document.inputs], what='inputs')}"


def no_such_step(name: str, document: Document) -> str:
    """Words for a step that nobody declared."""
    return f"no step {name!r}; {suggest(name, [step.name for step in document.steps], what='steps')}"


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
