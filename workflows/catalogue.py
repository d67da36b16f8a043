"""What the language offers, for people and for editors of documents: blocks, kinds, and how they connect."""

from __future__ import annotations

import inspect
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from workflows.block import Block
from workflows.definition.inputs import INPUT_TYPES
from workflows.definition.outputs import JsonField
from workflows.kinds import Kind
from workflows.manifest_fields import Element, FieldReferences, Reference
from workflows.query.describe import describe_query_language
from workflows.registry import all_blocks
from workflows.serializers.declared_kinds import declared_kind, declared_kinds

ENGINE_COMPATIBILITY = ">=1.3.0,<2.0.0"
BLOCK_SOURCE = "workflows_core"
"""Where a block comes from, in the words of the wire: it came with the server."""


@cache
def describe_blocks() -> dict[str, Any]:
    """Every block, kind and operation, and which property takes which kind. Not to be changed by the caller."""
    blocks = all_blocks()
    return {
        "blocks": [_described(block) for block in blocks],
        "declared_kinds": declared_kinds(),
        "kinds_connections": _kinds_connections(blocks),
        "primitives_connections": [found for block in blocks for found in _primitives(block)],
        "universal_query_language_description": describe_query_language(),
        "dynamic_block_definition_schema": {},
    }


@cache
def definition_schema() -> dict[str, Any]:
    """JSON schema of a document. Not to be changed by the caller."""
    inputs = list(dict.fromkeys(INPUT_TYPES.values()))
    steps = [block.manifest for block in all_blocks()]
    models: list[type[BaseModel]] = [*inputs, *steps, JsonField]
    references, schema = models_json_schema([(model, "validation") for model in models])
    defined: dict[str, Any] = _with_whole_kinds(schema.get("$defs", {}))

    def any_of(choices: list[Any]) -> dict[str, Any]:
        return {"type": "array", "items": {"anyOf": [references[model, "validation"] for model in choices]}}

    return {
        "$defs": defined,
        "title": "WorkflowDefinition",
        "type": "object",
        "properties": {
            "version": {"type": "string", "title": "Version"},
            "inputs": any_of(inputs),
            "steps": any_of(steps),
            "outputs": any_of([JsonField]),
        },
        "required": ["version", "inputs", "steps", "outputs"],
    }


def described_outputs(block: Block) -> list[dict[str, Any]]:
    """Outputs of a block with their kinds in full."""
    return [{"name": name, "kind": [declared_kind(kind) for kind in kinds]} for name, kinds in block.outputs.items()]


def _described(block: Block) -> dict[str, Any]:
    manifest = block.manifest
    return {
        "block_schema": _schema(block),
        "outputs_manifest": described_outputs(block),
        "block_source": BLOCK_SOURCE,
        "fully_qualified_block_class_name": f"{manifest.__module__}.{manifest.__qualname__}",
        "human_friendly_block_name": manifest.human_name,
        "manifest_type_identifier": block.type,
        "manifest_type_identifier_aliases": list(block.identifiers[1:]),
        "execution_engine_compatibility": ENGINE_COMPATIBILITY,
        "restrictions": [],
        "input_dimensionality_offsets": dict(block.input_offsets),
        "dimensionality_reference_property": block.dimension_reference,
        "output_dimensionality_offset": block.output_offset,
    }


def _schema(block: Block) -> dict[str, Any]:
    manifest = block.manifest
    schema: dict[str, Any] = _with_whole_kinds(manifest.model_json_schema())
    text = inspect.getdoc(manifest) or ""
    return schema | {
        "name": manifest.human_name,
        "version": block.type.rpartition("@")[2],
        "short_description": text.partition("\n")[0],
        "long_description": text,
        "license": "Apache-2.0",
        "block_type": manifest.category,
        "search_keywords": [],
        "ui_manifest": {"section": manifest.category},
    }


def _with_whole_kinds(schema: Any) -> Any:
    """The same schema with kinds as objects instead of names, and selectors in the words of the catalogue."""
    if isinstance(schema, list):
        return [_with_whole_kinds(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {key: _with_whole_kinds(part) for key, part in schema.items()}
    if schema.get("reference") is not True:
        return whole
    if whole["selected_element"] == Element.STEP:
        del whole["kind"]
        return whole
    whole["kind"] = [declared_kind(Kind(name)) for name in schema["kind"]]
    if whole["selected_element"] == Element.IMAGE:
        whole["selected_element"] = str(Element.ANY_DATA)  # an image may come from anywhere that gives images
    whole["selector_points_to_batch"] = "dynamic"
    return whole


def _kinds_connections(blocks: tuple[Block, ...]) -> dict[str, list[dict[str, Any]]]:
    """Kind -> properties that take it; under `*` stand all properties that take a selector to data."""
    connections: dict[str, list[dict[str, Any]]] = {str(Kind.ANY): []}
    for block in blocks:
        for name, references in block.references.items():
            reference = references.any()
            if reference is None or reference.element == Element.STEP:
                continue
            connection = _connection(block, name, references, reference)
            for kind in dict.fromkeys((Kind.ANY, *reference.kinds)):
                connections.setdefault(str(kind), []).append(connection)
    return connections


def _connection(block: Block, name: str, references: FieldReferences, reference: Reference) -> dict[str, Any]:
    element = Element.ANY_DATA if reference.element == Element.IMAGE else reference.element
    return {
        "manifest_type_identifier": block.type,
        "property_name": name,
        "property_description": block.manifest.model_fields[name].description,
        "compatible_element": str(element),
        "is_list_element": references.value is None and references.items is not None,
        "is_dict_element": references.value is None and references.values is not None,
    }


def _primitives(block: Block) -> list[dict[str, Any]]:
    """Properties that take a constant, and of which type."""
    found = []
    for name, info in block.manifest.model_fields.items():
        only_selector = any(isinstance(mark, Reference) for mark in info.metadata)
        annotation = "" if name == "type" or only_selector else _type_name(info.annotation)
        if annotation:
            found.append(
                {
                    "manifest_type_identifier": block.type,
                    "property_name": name,
                    "property_description": info.description,
                    "type_annotation": annotation,
                }
            )
    return found


def _type_name(annotation: Any) -> str:
    """A type in the words of the catalogue; empty for null and for what only selectors can fill."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is NoneType:
        return ""
    if annotation is Any:
        return "Any"
    if origin is Annotated:
        return "" if any(isinstance(mark, Reference) for mark in inner[1:]) else _type_name(inner[0])
    if origin is Literal:
        return type(inner[0]).__name__
    if origin in (Union, UnionType):
        names = sorted({name for member in inner if (name := _type_name(member))})
        return f"Union[{', '.join(names)}]" if len(names) > 1 else "".join(names)
    if origin in _CONTAINERS:
        names = [_type_name(member) for member in inner]
        return f"{_CONTAINERS[origin]}[{', '.join(names)}]" if all(names) else ""
    return getattr(annotation, "__name__", str(annotation))


_CONTAINERS: dict[Any, str] = {list: "List", tuple: "Tuple", dict: "Dict"}
