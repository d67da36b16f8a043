"""What a step's `run` gets: gathered for every element that no gate and no missing value keeps from running."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.compiler.plan import Binding, StepPlan
from workflows.definition.selectors import step_selector
from workflows.executor.dispatcher import Column, Position
from workflows.executor.parameters import typed_parameters

Arguments = dict[str, Any]
Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepWork:
    """What a step has to do.

    Attributes:
        positions: every element it stands before; those without a call become null.
        calls: position -> arguments of `run`, ports aside.
    """

    positions: tuple[Position, ...]
    calls: Mapping[Position, Arguments]


def prepare_step(step: StepPlan, columns: Columns) -> StepWork:
    """Gather the arguments of every element that no gate and no missing value keeps from running.

    A block that accepts nulls runs where a gate stops the element as well: its values of the batch are null there.

    Raises:
        RuntimeInputError: a parameter does not fit the step.
    """
    positions = ((),) if step.frame is None else tuple(columns[step.frame].values)
    gates = [columns[step_selector(gate)] for gate in step.gates]
    passes = _gate_keeper(step, gates)
    gathers = [_gather(step, binding, columns, passes) for binding in step.bindings if binding.deeper_by]
    common = _common_arguments(step, columns)
    if common is None:
        return StepWork(positions=positions, calls={})
    per_element = [
        (binding, columns[binding.selector].values)
        for binding in step.bindings
        if binding.lineage and not binding.deeper_by
    ]
    # with a collapsing step the gates keep single values out of its lists
    gated_here = bool(gates) and not (gathers and step.block.output_offset == -1)
    calls: dict[Position, Arguments] = {}
    runs_stopped = step.block.accepts_nulls and bool(per_element)
    for position in positions:
        stopped = gated_here and not passes(position)
        if stopped and not runs_stopped:
            continue
        arguments = _arguments_at(step, position, common, per_element, gathers, stopped=stopped)
        if arguments is not None:
            calls[position] = arguments
    return StepWork(positions=positions, calls=calls)


def _gate_keeper(step: StepPlan, gates: Sequence[Column]) -> Callable[[Position], bool]:
    decisions = [(len(gate.lineage), gate.values) for gate in gates]

    def passes(position: Position) -> bool:
        return all(step.selector in (values.get(position[:depth]) or ()) for depth, values in decisions)

    return passes


def _gather(
    step: StepPlan, binding: Binding, columns: Columns, passes: Callable[[Position], bool]
) -> tuple[Binding, dict[Position, list[Any]]]:
    """The values of a deeper binding as one list for each element the step runs on."""
    depth = len(step.lineage)
    keeps_nulls = step.block.accepts_nulls
    lists: dict[Position, list[Any]] = {}
    for position, value in columns[binding.selector].values.items():
        values = lists.setdefault(position[:depth], [])
        if (value is not None or keeps_nulls) and passes(position):
            values.append(value)
    return binding, lists


def _common_arguments(step: StepPlan, columns: Columns) -> Arguments | None:
    """Arguments that are the same for every element; None when one that a step should have made is missing."""
    wanted = step.block.parameters
    arguments = {name: step.literals[name] for name in wanted if name in step.literals}
    scalars = [binding for binding in step.bindings if not binding.lineage]
    if not scalars:
        return arguments
    values = {binding.selector: columns[binding.selector].values[()] for binding in scalars}
    typed = typed_parameters(step, values)
    collapses = step.block.output_offset == -1 and not any(binding.lineage for binding in step.bindings)
    for binding in scalars:
        value = typed.get(binding.field, values[binding.selector]) if binding.key is None else values[binding.selector]
        if value is None and not step.block.accepts_nulls and binding.selector.startswith("$steps."):
            return None
        _put(arguments, binding, [value] if collapses else value, step)
    return arguments


def _arguments_at(
    step: StepPlan,
    position: Position,
    common: Arguments,
    per_element: Sequence[tuple[Binding, Mapping[Position, Any]]],
    gathers: Sequence[tuple[Binding, Mapping[Position, list[Any]]]],
    *,
    stopped: bool,
) -> Arguments | None:
    arguments = dict(common)
    for binding, values in per_element:
        value = None if stopped else values.get(position)
        if value is None and not step.block.accepts_nulls:
            return None
        _put(arguments, binding, value, step)
    for binding, lists in gathers:
        gathered = lists.get(position)
        if step.block.output_offset == -1 and (gathered is None or not (gathered or position)):
            return None  # nothing to collapse; where all is null, an element has an empty list, and a whole batch none
        _put(arguments, binding, gathered or [], step)
    return arguments


def _put(arguments: Arguments, binding: Binding, value: Any, step: StepPlan) -> None:
    field, key = binding.field, binding.key
    if key is None:
        if field in step.block.parameters:
            arguments[field] = value
        return
    if field not in arguments:
        return  # the block has no use for it
    # the containers of the plan and of other elements stay as they are
    container: Any = dict(arguments[field]) if isinstance(arguments[field], Mapping) else list(arguments[field])
    container[key] = value
    arguments[field] = container
