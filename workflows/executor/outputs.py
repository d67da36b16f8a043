"""Columns to results: one object for each element of the request's batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflows.compiler.plan import REQUEST_BATCH, Lineage, OutputPlan, Plan, in_request_batch
from workflows.definition.selectors import EVERY_PROPERTY, StepOutputSelector, output_selector, parse_selector
from workflows.executor.dispatcher import Column, Position
from workflows.executor.options import RunOptions
from workflows.executor.pace import Pace
from workflows.serializers.room import Room
from workflows.serializers.serialize import serialize
from workflows.values.root_frame import to_own_frame, to_root_frame

Leaf = Callable[[Position], Any]


async def build_outputs(
    plan: Plan, columns: Mapping[str, Column], options: RunOptions, pace: Pace
) -> list[dict[str, Any]]:
    """The JSON-ready results of a run.

    A value of the batch goes to its element, deeper ones as nested lists; everything else is repeated. When no output
    is part of the batch there is one result, however many images came. The event loop is let in between elements.

    Raises:
        RuntimeLimitsCausedStepExecutionError: the answer would be too long.
        DeadlineExceededError: the request's time was over before all was written.
    """
    in_batch = [in_request_batch(output.lineage) for output in plan.outputs]
    size = len(columns[REQUEST_BATCH].values) if any(in_batch) else 1
    results: list[dict[str, Any]] = [{} for _ in range(size)]
    room = Room(options.max_answer_characters)
    for output, per_element in zip(plan.outputs, in_batch, strict=True):
        if output.name in options.excluded_fields:
            continue
        element = _nesting(plan, output, columns, room)
        if per_element:
            for index, result in enumerate(results):
                if pace.is_over():
                    await pace.next_turn()
                result[output.name] = element((index,))
        else:
            before = room.left
            value = element(())
            room.take((before - room.left) * (size - 1))
            for result in results:
                result[output.name] = value
    return results


def _nesting(plan: Plan, output: OutputPlan, columns: Mapping[str, Column], room: Room) -> Leaf:
    """A function from a position to what the output shows there: a value, or lists of what lies deeper."""
    leaf, positions = _leaf(plan, output, columns, room)
    depth = len(output.lineage)
    if depth == 0 or (depth == 1 and in_request_batch(output.lineage)):
        return leaf
    children = _children(output.lineage, positions, columns)

    def element(position: Position) -> Any:
        if len(position) == depth:
            return leaf(position)
        inner = children.get(position)
        if inner is None:
            return _nothing(depth - len(position))
        return [element(place) for place in inner]

    return element


def _nothing(levels: int) -> list[Any]:
    """What stands for no elements: a list, in as many lists as the elements would have been."""
    return [] if levels == 1 else [_nothing(levels - 1)]


def _children(
    lineage: Lineage, positions: Mapping[Position, Any], columns: Mapping[str, Column]
) -> dict[Position, list[Position]]:
    children: dict[Position, list[Position]] = {}
    for level in range(len(lineage)):
        at_level = positions if level == len(lineage) - 1 else columns[lineage[level]].values
        for position in at_level:
            children.setdefault(position[:-1], []).append(position)
    return children


def _leaf(
    plan: Plan, output: OutputPlan, columns: Mapping[str, Column], room: Room
) -> tuple[Leaf, Mapping[Position, Any]]:
    write = _writer(output, room)
    target = parse_selector(output.selector)
    if not isinstance(output.kinds, Mapping):
        kinds, values = output.kinds, columns[output.selector].values
        return (lambda position: write(values.get(position), kinds)), values
    assert isinstance(target, StepOutputSelector)  # only `.*` has kinds for each property
    assert target.property == EVERY_PROPERTY
    properties = [
        (name, kinds, columns[output_selector(target.step, name)].values) for name, kinds in output.kinds.items()
    ]
    positions = properties[0][2] if properties else {}

    def leaf(position: Position) -> dict[str, Any]:
        return {name: write(values.get(position), kinds) for name, kinds, values in properties}

    return leaf, positions


def _writer(output: OutputPlan, room: Room) -> Callable[[Any, tuple[str, ...]], Any]:
    move = to_root_frame if output.coordinates_system == "parent" else to_own_frame

    def write(value: Any, kinds: tuple[str, ...]) -> Any:
        return serialize(value, kinds, move=move, room=room)

    return write
