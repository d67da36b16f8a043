"""What a workflow takes and answers, without running it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from workflows.compiler.plan import Binding, InputPlan, OutputPlan, Plan, StepPlan
from workflows.definition.selectors import InputSelector, input_selector, parse_selector
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

    An input of no declared kind is described by the kinds that its readers take, an output that repeats an input as
    that input.

    Returns:
        `inputs` (name -> kinds), `outputs` (name -> kinds, or property -> kinds for `.*`), `typing_hints` (kind ->
        type) and `kinds_schemas` (kind -> JSON schema), as `/workflows/describe_interface` answers it.
    """
    inputs = {item.name: list(_input_kinds(plan, item)) for item in plan.inputs.values()}
    outputs = {output.name: _output_kinds(output, inputs) for output in plan.outputs}
    used = _kinds_in([*inputs.values(), *outputs.values()])
    return {
        "inputs": inputs,
        "outputs": outputs,
        "typing_hints": {kind: KINDS[Kind(kind)][1] for kind in used if kind in KINDS},
        "kinds_schemas": {kind: SCHEMAS[kind].model_json_schema() for kind in used if kind in SCHEMAS},
    }


def _input_kinds(plan: Plan, item: InputPlan) -> tuple[str, ...]:
    if item.kinds != (Kind.ANY,):
        return item.kinds
    selector = input_selector(item.name)
    taken = [
        str(kind)
        for step in plan.steps.values()
        for binding in step.bindings
        if binding.selector == selector
        for kind in _taken_at(step, binding)
    ]
    return tuple(dict.fromkeys(kind for kind in taken if kind != Kind.ANY)) or item.kinds


def _taken_at(step: StepPlan, binding: Binding) -> tuple[Kind, ...]:
    places = step.block.references[binding.field]
    if binding.key is None:
        reference = places.value
    else:
        reference = places.items if isinstance(binding.key, int) else places.values
    return () if reference is None else reference.kinds


def _output_kinds(output: OutputPlan, inputs: Mapping[str, list[str]]) -> list[str] | dict[str, list[str]]:
    target = parse_selector(output.selector)
    if isinstance(target, InputSelector):
        return inputs[target.name]
    if isinstance(output.kinds, Mapping):
        return {name: list(kinds) for name, kinds in output.kinds.items()}
    return list(output.kinds)


def _kinds_in(places: Iterable[list[str] | dict[str, list[str]]]) -> list[str]:
    lists = [kinds for place in places for kinds in (place.values() if isinstance(place, dict) else [place])]
    return list(dict.fromkeys(kind for kinds in lists for kind in kinds))
