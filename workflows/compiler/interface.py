"""What a workflow takes and answers, without running it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from workflows.compiler.plan import Plan
from workflows.definition.selectors import InputSelector, parse_selector
from workflows.errors import WorkflowDefinitionError
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.serializers.declared_kinds import KINDS
from workflows.serializers.detections_json import DetectionsJson
from workflows.serializers.image import ImageJson

SCHEMAS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {Kind.IMAGE.value: ImageJson} | {kind.value: DetectionsJson for kind in DETECTION_KINDS}
)
"""Kinds whose JSON is an object with keys of its own."""


def describe_interface(plan: Plan) -> dict[str, Any]:
    """Kinds of every input and output of a plan, and what values of these kinds look like.

    Returns:
        `inputs` (name -> kinds), `outputs` (name -> kinds, or property -> kinds for `.*`), `typing_hints` (kind ->
        type) and `kinds_schemas` (kind -> JSON schema), as `/workflows/describe_interface` answers it.

    Raises:
        WorkflowDefinitionError: an output selects an input.
    """
    for output in plan.outputs:
        if isinstance(parse_selector(output.selector), InputSelector):
            raise WorkflowDefinitionError(
                f"output {output.name!r} selects {output.selector!r}; an interface can be described only when all "
                "outputs select steps"
            )
    inputs = {item.name: list(item.kinds) for item in plan.inputs.values()}
    outputs = {
        output.name: {name: list(kinds) for name, kinds in output.kinds.items()}
        if isinstance(output.kinds, Mapping)
        else list(output.kinds)
        for output in plan.outputs
    }
    used = _kinds_in([*inputs.values(), *outputs.values()])
    return {
        "inputs": inputs,
        "outputs": outputs,
        "typing_hints": {kind: KINDS[Kind(kind)][1] for kind in used if kind in KINDS},
        "kinds_schemas": {kind: SCHEMAS[kind].model_json_schema() for kind in used if kind in SCHEMAS},
    }


def _kinds_in(places: Iterable[list[str] | dict[str, list[str]]]) -> list[str]:
    lists = [kinds for place in places for kinds in (place.values() if isinstance(place, dict) else [place])]
    return list(dict.fromkeys(kind for kinds in lists for kind in kinds))
