"""What is wrong with a part of a document, in words that say what would be right."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from workflows.block import Block
from workflows.definition.aliases import fields_by_alias
from workflows.errors import BlockProblem
from workflows.manifest_fields import Element, FieldReferences, Reference
from workflows.values.wording import shown


def step_problems(
    error: ValidationError, block: Block, step: str | None, declared_type: str
) -> tuple[BlockProblem, ...]:
    """One problem for each property of a step that its manifest refuses, under the name the document used."""
    by_property: dict[str | None, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False, include_context=False):
        place = str(details["loc"][0]) if details["loc"] else None
        by_property.setdefault(place, []).append(details)
    names = fields_by_alias(block.manifest)
    return tuple(
        BlockProblem(
            step=step,
            block_type=declared_type,
            property_name=place,
            details=_describe(found, block.references.get(names.get(place, ""))) if place else _texts(found),
        )
        for place, found in by_property.items()
    )


def plain_problems(error: ValidationError) -> str:
    """The problems of an input or output, in one text."""
    return "; ".join(
        f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}"
        for details in error.errors(include_url=False, include_context=False)
    )


def summary(problems: Iterable[BlockProblem]) -> str:
    """The message of an error that consists of problems."""
    return "; ".join(
        f"step {problem.step!r}"
        + (f", {problem.property_name!r}" if problem.property_name else "")
        + f": {problem.details}"
        for problem in problems
    )


def describe_reference(reference: Reference) -> str:
    """What selector a property takes."""
    if reference.element is Element.STEP:
        return "a step selector such as $steps.<step>"
    form = (
        "$steps.<step>.<output>"
        if reference.element is Element.STEP_OUTPUT
        else "$inputs.<name> or $steps.<step>.<output>"
    )
    kinds = ", ".join(str(kind) for kind in reference.kinds)
    return f"a selector ({form}) of kind {kinds}"


def _describe(found: list[ErrorDetails], references: FieldReferences | None) -> str:
    if len(found) == 1 and found[0]["type"] == "missing":
        reference = references.any() if references else None
        return f"is required; give {describe_reference(reference)}" if reference else "is required"
    texts = _texts(found)
    if references is None or (reference := references.any()) is None:
        return f"{texts}; got {shown(found[0]['input'])}"
    wanted = describe_reference(reference) + (" or a literal" if references.has_literal and references.value else "")
    if references.value is None:
        wanted = f"a list or object with {wanted}"
    return f"takes {wanted}; got {shown(found[0]['input'])} ({texts})"


def _texts(found: list[ErrorDetails]) -> str:
    texts = dict.fromkeys(
        f"at {'.'.join(str(part) for part in details['loc'][1:])}: {details['msg']}"
        if len(details["loc"]) > 1 and isinstance(details["loc"][-1], int)
        else details["msg"]
        for details in found
    )
    return "; ".join(texts)
