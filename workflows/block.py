"""What a block is: a manifest, a function on one element, and how the two meet.

A block's file ends with `BLOCK = Block(Manifest, run, outputs=..., runs_on=...)`, or with `BLOCKS = (...)` when the
family has several versions. The folder `workflows/blocks` is the registry; there is no list to edit.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from workflows.kinds import DETECTION_KINDS, Kind
from workflows.ports import Ports


class RunsOn(StrEnum):
    """The deployment whose processes do a step's work."""

    ROUTER = "router"
    TRANSFORMS = "transforms"
    OBJECT_DETECTOR = "object_detector"
    TEXT_READER = "text_reader"


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
PositiveInt = Annotated[int, Field(gt=0)]


class BlockManifest(BaseModel):
    """The part of a step's JSON that every block shares. Keys a manifest does not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, protected_namespaces=())

    human_name: ClassVar[str] = ""
    category: ClassVar[str] = ""

    type: str
    name: str = Field(title="Step Name", description="Name of the step, unique in the workflow.")


@dataclass(frozen=True, slots=True)
class GoTo:
    """A flow-control block's answer: the element goes on in these steps only.

    Attributes:
        steps: selectors of steps, as the manifest holds them; empty ends the branch.
    """

    steps: tuple[str, ...]


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


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A step type.

    Attributes:
        manifest: the step's JSON as a pydantic model; `type: Literal[canonical, *aliases]`.
        run: plain or async function; one parameter a manifest field it uses, ports as keyword-only parameters. It gets
            ONE element and returns a dict of the declared outputs. With `output_offset=1` it returns a list of such
            dicts, with `output_offset=-1` fields of the collapsed dimension arrive as lists. Flow control returns GoTo.
            A parameter with a default may be missing from the manifest: an older version's, of a family that shares
            `run`.
        outputs: output name -> kinds; empty for flow control.
        runs_on: where the work is done.
        output_offset: dimension of the outputs against that of the inputs: -1, 0 or 1.
        input_offsets: field -> its dimension against that of `dimension_reference`.
        dimension_reference: field whose dimension counts when `input_offsets` differ.
        accepts_nulls: whether `run` sees elements that an earlier step filtered away, as None.
        batch_fields: fields that take one value for each element. Empty: every field may, or may not.
        batch_or_scalar_fields: further fields, where `batch_fields` is not empty, that may do either.
        flow_control: whether `run` decides which steps go on.
        identifiers: every text that the step's `type` may be, the canonical one first.
        references: field -> where selectors may stand in it.
        parameters: manifest fields that `run` takes.
        ports: what `run` asks for from outside.
    """

    manifest: type[BlockManifest]
    run: Callable[..., Any]
    outputs: Mapping[str, tuple[Kind, ...]] = field(default_factory=dict)
    runs_on: RunsOn = RunsOn.ROUTER
    output_offset: Literal[-1, 0, 1] = 0
    input_offsets: Mapping[str, int] = field(default_factory=dict)
    dimension_reference: str | None = None
    accepts_nulls: bool = False
    batch_fields: tuple[str, ...] = ()
    batch_or_scalar_fields: tuple[str, ...] = ()
    flow_control: bool = False
    identifiers: tuple[str, ...] = field(init=False)
    references: Mapping[str, FieldReferences] = field(init=False)
    parameters: tuple[str, ...] = field(init=False)
    ports: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__
        set_once(self, "identifiers", get_args(self.manifest.model_fields["type"].annotation))
        set_once(self, "references", field_references(self.manifest))
        known = self.manifest.model_fields
        signature = inspect.signature(self.run).parameters.values()
        taken = [p for p in signature if p.kind is p.POSITIONAL_OR_KEYWORD]
        set_once(self, "parameters", tuple(p.name for p in taken if p.name in known or p.default is p.empty))
        set_once(self, "ports", tuple(p.name for p in signature if p.kind is p.KEYWORD_ONLY))
        self._check()

    def _check(self) -> None:
        if not self.identifiers:
            raise TypeError(f"{self.manifest.__name__}.type must be a Literal of the block's identifiers")
        unknown = set(self.parameters) - set(self.manifest.model_fields)
        if unknown:
            raise TypeError(f"run of {self.identifiers[0]} takes {sorted(unknown)}, which the manifest does not have")
        unknown = set(self.ports) - {f.name for f in fields(Ports)}
        if unknown:
            raise TypeError(f"run of {self.identifiers[0]} asks for ports that do not exist: {sorted(unknown)}")

    @property
    def type(self) -> str:
        """The canonical identifier."""
        return self.identifiers[0]


def field_references(manifest: type[BlockManifest]) -> dict[str, FieldReferences]:
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
