"""The document: inputs, steps and outputs as typed values, or one error that names everything wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from workflows.block import Block, BlockManifest
from workflows.definition.aliases import declared_names
from workflows.definition.inputs import INPUT_TYPES, InputDefinition
from workflows.definition.nearest import suggest
from workflows.definition.outputs import JsonField
from workflows.definition.syntax_problems import plain_problems, step_problems, summary
from workflows.definition.version import check_version
from workflows.errors import (
    BlockProblem,
    DuplicatedNameError,
    WorkflowEnvironmentConfigurationError,
    WorkflowSyntaxError,
)
from workflows.values.wording import shown

_INPUT: TypeAdapter[InputDefinition] = TypeAdapter(InputDefinition)
_SECTIONS = ("inputs", "steps", "outputs")

LONGEST_NAME = 256
"""Characters of a name: identities of images and detections are made of them."""
MOST_FIELDS = 1024
"""Inputs, and outputs, of a definition."""

_SUGGESTED = 16  # steps of unknown types for which a known one is looked for: each takes some milliseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepDefinition:
    """One step as the document gives it.

    Attributes:
        name: its name.
        declared_type: the identifier the document used.
        block: its type.
        manifest: its parameters.
        declared: the JSON object itself.
        declared_names: manifest field -> the name or alias under which the JSON gives it.
    """

    name: str
    declared_type: str
    block: Block
    manifest: BlockManifest
    declared: Mapping[str, Any]
    declared_names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """A document whose parts are all well-formed; whether they fit together is the compiler's business."""

    inputs: tuple[InputDefinition, ...]
    steps: tuple[StepDefinition, ...]
    outputs: tuple[JsonField, ...]

    def input_named(self, name: str) -> InputDefinition | None:
        """The input of a name; None when there is none."""
        return next((item for item in self.inputs if item.name == name), None)

    def step_named(self, name: str) -> StepDefinition | None:
        """The step of a name; None when there is none."""
        return next((step for step in self.steps if step.name == name), None)


def parse_document(
    document: Mapping[str, Any],
    blocks: Mapping[str, Block],
    *,
    max_steps: int,
    context: Mapping[str, Any] | None = None,
) -> Document:
    """Read a definition; keys that the language does not know are ignored.

    Args:
        document: the definition's JSON.
        blocks: every identifier and alias -> its block.
        max_steps: steps allowed in a definition.
        context: what validators of the manifests share, such as what counts something over all steps.

    Raises:
        WorkflowDefinitionError, NotSupportedExecutionEngineError: see `check_version`.
        WorkflowSyntaxError: a part is missing or does not match its schema.
        WorkflowEnvironmentConfigurationError: the definition brings code of its own.
        DuplicatedNameError: two inputs, two steps or two outputs share one name.
    """
    if not isinstance(document, Mapping):
        raise WorkflowSyntaxError(f"the definition must be a JSON object, got {shown(document)}", [])
    check_version(document)
    sections = {name: _section(document, name) for name in _SECTIONS}
    if document.get("dynamic_blocks_definitions"):
        raise WorkflowEnvironmentConfigurationError(
            'the definition brings Python blocks of its own ("dynamic_blocks_definitions"), which this server does not '
            "run; use the blocks that /workflows/blocks/describe lists"
        )
    if len(sections["steps"]) > max_steps:
        raise WorkflowSyntaxError(
            f"the definition has {len(sections['steps'])} steps; at most {max_steps} are accepted", []
        )
    for name in ("inputs", "outputs"):
        if len(sections[name]) > MOST_FIELDS:
            raise WorkflowSyntaxError(
                f"the definition has {len(sections[name])} {name}; at most {MOST_FIELDS} are accepted", []
            )
    inputs = tuple(_read_input(item, index) for index, item in enumerate(sections["inputs"]))
    steps = _read_steps(sections["steps"], blocks, context)
    outputs = tuple(_read_output(item, index) for index, item in enumerate(sections["outputs"]))
    _check_names("input", [item.name for item in inputs])
    _check_names("step", [step.name for step in steps])
    _check_names("output", [item.name for item in outputs])
    return Document(inputs=inputs, steps=steps, outputs=outputs)


def _section(document: Mapping[str, Any], name: str) -> list[Any]:
    if name not in document:
        raise WorkflowSyntaxError(f'the definition has no "{name}"; add a list, which may be empty', [])
    section = document[name]
    if not isinstance(section, list):
        raise WorkflowSyntaxError(f'"{name}" of the definition must be a list, got {shown(section)}', [])
    return section


def _read_input(item: Any, index: int) -> InputDefinition:
    kind = item.get("type") if isinstance(item, Mapping) else None
    if not isinstance(kind, str) or kind not in INPUT_TYPES:
        help_text = (
            suggest(kind, INPUT_TYPES, what="input types")
            if isinstance(kind, str)
            else f'give a "type"; {_input_types()}'
        )
        raise WorkflowSyntaxError(f"inputs[{index}] has the unknown type {shown(kind)}; {help_text}", [])
    try:
        return _INPUT.validate_python(item)
    except ValidationError as error:
        raise WorkflowSyntaxError(f"inputs[{index}] is not a {kind}: {plain_problems(error)}", []) from None


def _input_types() -> str:
    return f"input types: {', '.join(INPUT_TYPES)}"


def _read_output(item: Any, index: int) -> JsonField:
    try:
        return JsonField.model_validate(item)
    except ValidationError as error:
        raise WorkflowSyntaxError(
            f"outputs[{index}] is not a JsonField with a name and a selector such as $steps.<step>.<output>: "
            f"{plain_problems(error)}",
            [],
        ) from None


def _read_steps(
    items: list[Any], blocks: Mapping[str, Block], context: Mapping[str, Any] | None
) -> tuple[StepDefinition, ...]:
    steps: list[StepDefinition] = []
    problems: list[BlockProblem] = []
    for index, item in enumerate(items):
        step = _read_step(item, index, blocks, context, suggests=len(problems) < _SUGGESTED)
        if isinstance(step, StepDefinition):
            steps.append(step)
        else:
            problems.extend(step)
    if problems:
        raise WorkflowSyntaxError(f"the steps do not match their manifests: {summary(problems)}", problems)
    return tuple(steps)


def _read_step(
    item: Any, index: int, blocks: Mapping[str, Block], context: Mapping[str, Any] | None, *, suggests: bool
) -> StepDefinition | tuple[BlockProblem, ...]:
    if not isinstance(item, Mapping):
        return (BlockProblem(step=None, details=f"steps[{index}] must be a JSON object, got {shown(item)}"),)
    name = item.get("name") if isinstance(item.get("name"), str) else None
    declared_type = item.get("type")
    if not isinstance(declared_type, str):
        details = f"steps[{index}] needs a text as its type, such as {min(blocks, default='ContinueIf')!r}"
        return (BlockProblem(step=name, details=details),)
    block = blocks.get(declared_type)
    if block is None:
        details = f"there is no block type {shown(declared_type)}"
        if suggests:
            details += f"; {suggest(declared_type, blocks, what='block types')}"
        return (BlockProblem(step=name, block_type=declared_type, details=details),)
    try:
        manifest = block.manifest.model_validate(item, context=context)
    except ValidationError as error:
        return step_problems(error, block, name, declared_type)
    if "." in manifest.name:
        details = f"{manifest.name!r} has a dot, which selectors need to part the step from its output; use _ or -"
        return (BlockProblem(step=manifest.name, block_type=declared_type, property_name="name", details=details),)
    return StepDefinition(
        name=manifest.name,
        declared_type=declared_type,
        block=block,
        manifest=manifest,
        declared=item,
        declared_names=declared_names(block.manifest, item),
    )


def _check_names(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if len(name) > LONGEST_NAME:
            raise WorkflowSyntaxError(
                f"the name of {what} {shown(name)} has {len(name)} characters; at most {LONGEST_NAME} are accepted", []
            )
        if name in seen:
            raise DuplicatedNameError(f"two {what}s are called {name!r}; give each {what} a name of its own")
        seen.add(name)
