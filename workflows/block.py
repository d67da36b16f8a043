"""What a block is: a manifest, a function on one element, and how the two meet.

A block's file ends with `BLOCK = Block(Manifest, run, outputs=..., runs_on=...)`, or with `BLOCKS = (...)` when the
family has several versions. The folder `workflows/blocks` is the registry; there is no list to edit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from workflows.kinds import Kind
from workflows.manifest_fields import FieldReferences, field_references
from workflows.ports import Ports


class RunsOn(StrEnum):
    """The deployment whose processes do a step's work."""

    ROUTER = "router"
    TRANSFORMS = "transforms"
    OBJECT_DETECTOR = "object_detector"
    TEXT_READER = "text_reader"


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
