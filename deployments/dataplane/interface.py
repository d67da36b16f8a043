"""What a workflow takes and gives, in kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from workflows.compiler.plan import OutputPlan, Plan
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.serializers.declared_kinds import KINDS
from workflows.serializers.detections_json import DetectionsJson
from workflows.serializers.image import ImageJson

SCHEMAS: dict[str, type[BaseModel]] = {Kind.IMAGE: ImageJson, **dict.fromkeys(DETECTION_KINDS, DetectionsJson)}
"""Kinds whose JSON is more than one value."""


def describe_interface(plan: Plan) -> dict[str, Any]:
    """Kinds of every input and output, and what those kinds look like in JSON."""
    inputs = {name: list(given.kinds) for name, given in plan.inputs.items()}
    outputs = {output.name: _kinds(output) for output in plan.outputs}
    used = list(dict.fromkeys(_all_kinds(outputs.values()) + _all_kinds(inputs.values())))
    return {
        "inputs": inputs,
        "outputs": outputs,
        "typing_hints": {kind: KINDS[Kind(kind)][1] for kind in used if kind in set(Kind)},
        "kinds_schemas": {kind: SCHEMAS[kind].model_json_schema(by_alias=True) for kind in used if kind in SCHEMAS},
    }


def _kinds(output: OutputPlan) -> Any:
    if isinstance(output.kinds, tuple):
        return list(output.kinds)
    return {name: list(kinds) for name, kinds in output.kinds.items()}


def _all_kinds(described: Iterable[Any]) -> list[str]:
    found: list[str] = []
    for kinds in described:
        found.extend(kinds if isinstance(kinds, list) else _all_kinds(kinds.values()))
    return [str(kind) for kind in found]
