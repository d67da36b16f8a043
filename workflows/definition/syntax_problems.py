"""What is wrong with a part of a document, in words that say what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from workflows.block import Block
from workflows.definition.aliases import fields_by_alias
from workflows.definition.nearest import suggest
from workflows.errors import BlockProblem
from workflows.manifest_fields import Element, FieldReferences, Reference
from workflows.values.wording import shown

Place = tuple[int | str, ...]

_LISTED = 5  # problems of one property, or properties in a message; more help nobody
_ALL = 64  # types and values are shown whole: the language has no longer list of either
_SELECTOR_BRANCH = "constrained-str"
_BRANCHES = frozenset({"str", "int", "float", "bool", "list", "dict", "tuple"})
_KEY = re.compile(r"[a-z_0-9]+")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


def step_problems(
    error: ValidationError, block: Block, step: str | None, declared_type: str
) -> tuple[BlockProblem, ...]:
    """One problem for each property of a step that its manifest refuses, under the name the document used."""
    by_property: dict[str | None, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
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
    return _worded([(details["loc"], details) for details in error.errors(include_url=False)])


def value_problems(found: list[ErrorDetails]) -> str:
    """What is wrong with a value that is no selector."""
    return _texts([details for details in found if _SELECTOR_BRANCH not in details["loc"]] or found)


def summary(problems: Iterable[BlockProblem]) -> str:
    """The message of an error that consists of problems."""
    texts = [
        ("a step without a name" if problem.step is None else f"step {shown(problem.step)}")
        + (f", {problem.property_name!r}" if problem.property_name else "")
        + f": {problem.details}"
        for problem in problems
    ]
    return _capped(texts, len(texts))


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
    reference = references.any() if references else None
    if len(found) == 1 and found[0]["type"] == "missing" and len(found[0]["loc"]) == 1:
        return f"is required; give {describe_reference(reference)}" if reference else "is required"
    if references is None or reference is None:
        return _texts(found)
    if references.value is None:
        return f"{_texts(found)}; takes a list or object with {describe_reference(reference)}"
    if not references.has_literal:
        return f"takes {describe_reference(reference)}; got {shown(found[0]['input'])}"
    return f"{value_problems(found)}; takes {describe_reference(reference)} as well"


def _texts(found: list[ErrorDetails]) -> str:
    return _worded([(details["loc"][1:], details) for details in found])


def _worded(found: list[tuple[Place, ErrorDetails]]) -> str:
    """The first of some problems in words, and how many more there are; what two branches of a type say counts once."""
    distinct = {
        (_path(place), details["type"], details["msg"], id(details["input"])): details for place, details in found
    }
    listed = islice(distinct.items(), _LISTED)  # finding words takes a millisecond, and there may be 10,000 problems
    return _capped([_placed(path, details) for (path, *_), details in listed], len(distinct))


def _capped(texts: list[str], count: int) -> str:
    more = count - _LISTED
    return "; ".join(texts[:_LISTED]) + (f"; and {more} more" if more > 0 else "")


def _path(place: Place) -> str:
    """Where something is wrong inside a property; the branches that pydantic tried are left out."""
    return ".".join(
        str(part) for part in place if isinstance(part, int) or (_KEY.fullmatch(part) and part not in _BRANCHES)
    )


def _placed(path: str, details: ErrorDetails) -> str:
    return f"at {path}: {_said(details)}" if path else _said(details)


def _said(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "is required"
        case "union_tag_invalid":
            known = _QUOTED.findall(context["expected_tags"])
            return (
                f"there is no type {shown(context['tag'])}; {suggest(context['tag'], known, what='types', listed=_ALL)}"
            )
        case "union_tag_not_found":
            return 'has no "type"'
        case "literal_error" if isinstance(details["input"], str):
            help_text = suggest(details["input"], _QUOTED.findall(context["expected"]), what="values", listed=_ALL)
            return f"{shown(details['input'])} is no such value; {help_text}"
        case "string_pattern_mismatch":
            return f"{shown(details['input'])} is no selector"
        case "value_error":
            return f"{context['error']}; got {shown(details['input'])}"
    return f"{details['msg'].replace('Input should be', 'must be', 1)}, got {shown(details['input'])}"
