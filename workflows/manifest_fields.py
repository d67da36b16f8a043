"""What the fields of a manifest take: literals, and selectors that lead to values of certain kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from workflows.kinds import DETECTION_KINDS, Kind


class Element(StrEnum):
    """What a selector may point to, as the catalogue of blocks calls it."""

    ANY_DATA = "any_data"
    IMAGE = "workflow_image"
    STEP_OUTPUT = "step_output"
    STEP = "step"


INPUT_PATTERN = r"^\$inputs\.[A-Za-z_0-9\-]+$"
STEP_OUTPUT_PATTERN = r"^\$steps\.[A-Za-z_0-9\-]+\.[A-Za-z_0-9\-*]+$"
STEP_PATTERN = r"^\$steps\.[A-Za-z_0-9\-]+$"
_PATTERNS = {
    Element.ANY_DATA: f"({STEP_OUTPUT_PATTERN})|({INPUT_PATTERN})",
    Element.IMAGE: f"({STEP_OUTPUT_PATTERN})|({INPUT_PATTERN})",
    Element.STEP_OUTPUT: STEP_OUTPUT_PATTERN,
    Element.STEP: f"({STEP_PATTERN})|({STEP_OUTPUT_PATTERN})",  # that it must be a step is the compiler's to say
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Marks a manifest field that takes a selector: `Annotated[str, Reference(kinds, ...)]`.

    Attributes:
        kinds: kinds of value the field takes; empty for a step selector.
        element: what the selector may point to.
    """

    kinds: tuple[Kind, ...]
    element: Element = Element.ANY_DATA

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.str_schema(pattern=_PATTERNS[self.element])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        described |= {"reference": True, "selected_element": str(self.element), "kind": [str(k) for k in self.kinds]}
        return described

    def matches(self, value: Any) -> bool:
        """Whether `value` is written as a selector this field can take."""
        return isinstance(value, str) and re.match(_PATTERNS[self.element], value) is not None


ImageRef = Annotated[str, Reference((Kind.IMAGE,), Element.IMAGE)]
DetectionsRef = Annotated[str, Reference(DETECTION_KINDS)]
AnyRef = Annotated[str, Reference((Kind.ANY,))]
FloatRef = Annotated[str, Reference((Kind.FLOAT,))]
FractionRef = Annotated[str, Reference((Kind.FLOAT_ZERO_TO_ONE,))]
IntegerRef = Annotated[str, Reference((Kind.INTEGER,))]
BooleanRef = Annotated[str, Reference((Kind.BOOLEAN,))]
StringRef = Annotated[str, Reference((Kind.STRING,))]
ListRef = Annotated[str, Reference((Kind.LIST_OF_VALUES,))]
ModelIdRef = Annotated[str, Reference((Kind.ROBOFLOW_MODEL_ID,))]
ProjectRef = Annotated[str, Reference((Kind.ROBOFLOW_PROJECT,))]
StepRef = Annotated[str, Reference((), Element.STEP)]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
PositiveInt = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class FieldReferences:
    """Where in a manifest field selectors may stand.

    Attributes:
        value: for the field's own value; None where only a literal or a container is taken.
        items: for the elements of a list; None where they are literals.
        values: for the values of a dict; None where they are literals.
        has_literal: whether the field takes anything else than a selector.
    """

    value: Reference | None = None
    items: Reference | None = None
    values: Reference | None = None
    has_literal: bool = False

    def any(self) -> Reference | None:
        """The reference of whichever place takes one."""
        return self.value or self.items or self.values


def field_references(manifest: type[BaseModel]) -> dict[str, FieldReferences]:
    """Where selectors may stand, for each field of a manifest but `type` and `name`."""
    found = {}
    for name, info in manifest.model_fields.items():
        if name in {"type", "name"}:
            continue
        annotation: Any = info.annotation
        for mark in info.metadata:  # pydantic strips the outermost Annotated
            annotation = Annotated[annotation, mark]
        found[name] = _references_in(annotation)
    return found


def _references_in(annotation: Any) -> FieldReferences:
    value = items = values = None
    has_literal = False
    for member in _union_members(annotation):
        origin = get_origin(_bare(member))
        reference = _reference_of(member)
        if reference is not None:
            value = reference
        elif origin is list and (inner := _reference_among(get_args(_bare(member))[0])):
            items, has_literal = inner, True
        elif origin is dict and (inner := _reference_among(get_args(_bare(member))[1])):
            values, has_literal = inner, True
        else:
            has_literal = True
    return FieldReferences(value=value, items=items, values=values, has_literal=has_literal)


def _union_members(annotation: Any) -> tuple[Any, ...]:
    bare = _bare(annotation)
    if get_origin(bare) in (Union, UnionType):
        return tuple(inner for member in get_args(bare) for inner in _union_members(member))
    return (annotation,)


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated and _reference_of(annotation) is None:
        return _bare(get_args(annotation)[0])
    return annotation


def _reference_of(annotation: Any) -> Reference | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark for mark in get_args(annotation)[1:] if isinstance(mark, Reference)), None)


def _reference_among(annotation: Any) -> Reference | None:
    return next((found for member in _union_members(annotation) if (found := _reference_of(member))), None)
