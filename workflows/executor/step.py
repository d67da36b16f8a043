"""One step on all of its elements: gathering what `run` gets, and placing what it gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.block import GoTo
from workflows.compiler.plan import Binding, StepPlan
from workflows.definition.selectors import output_selector, step_selector
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.executor.dispatcher import Column, Position
from workflows.executor.failures import failure_of, wrong_answer
from workflows.executor.parameters import typed_parameters
from workflows.ports import Ports

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
    for position in positions:
        if gated_here and not passes(position):
            continue
        arguments = _arguments_at(step, position, common, per_element, gathers)
        if arguments is not None:
            calls[position] = arguments
    return StepWork(positions=positions, calls=calls)


def run_calls(step: StepPlan, work: StepWork, ports: Mapping[str, Any]) -> dict[Position, Any]:
    """Call a plain `run` for one element after the other.

    Raises:
        WorkflowError: an element failed.
    """
    run = step.block.run
    results: dict[Position, Any] = {}
    for position, arguments in work.calls.items():
        try:
            results[position] = run(**arguments, **ports)
        except Exception as error:
            raise failure_of(step, error) from error
    return results


def collect_step(
    step: StepPlan, work: StepWork, results: Mapping[Position, Any], max_elements: int | None
) -> dict[str, Column]:
    """The columns of a step's outputs, of the positions it made, or of its decisions.

    Raises:
        StepExecutionError: the block does not keep to its declared outputs.
        RuntimeLimitsCausedStepExecutionError: it made more than `max_elements` elements.
    """
    if step.block.flow_control:
        return {step.selector: Column(lineage=step.lineage, values=_decisions(step, work, results))}
    if step.block.output_offset == 1:
        return _deeper_columns(step, work, results, max_elements)
    names = step.block.outputs.keys()
    for result in results.values():
        _check_result(step, result)
    return {
        output_selector(step.name, name): Column(
            lineage=step.output_lineage,
            values={p: results[p][name] if p in results else None for p in work.positions},
        )
        for name in names
    }


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
) -> Arguments | None:
    arguments = dict(common)
    for binding, values in per_element:
        value = values.get(position)
        if value is None and not step.block.accepts_nulls:
            return None
        _put(arguments, binding, value, step)
    for binding, lists in gathers:
        gathered = lists.get(position)
        if gathered is None and step.block.output_offset == -1:
            return None  # nothing to collapse
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


def _decisions(step: StepPlan, work: StepWork, results: Mapping[Position, Any]) -> dict[Position, Any]:
    decisions: dict[Position, Any] = {}
    for position in work.positions:
        decision = results.get(position)
        if position in results and not isinstance(decision, GoTo):
            raise wrong_answer(step, f"must answer GoTo, not {type(decision).__name__}")
        decisions[position] = decision.steps if isinstance(decision, GoTo) else None
    return decisions


def _deeper_columns(
    step: StepPlan, work: StepWork, results: Mapping[Position, Any], max_elements: int | None
) -> dict[str, Column]:
    names = tuple(step.block.outputs)
    made: dict[str, dict[Position, Any]] = {name: {} for name in names}
    positions: dict[Position, bool] = {}
    for position, index, item in _items(step, results):
        place = (*position, index)
        positions[place] = True
        if item is not None:
            _check_result(step, item)
        for name in names:
            made[name][place] = None if item is None else item[name]
    check_elements(step, len(positions), max_elements)
    lineage = step.output_lineage
    columns = {output_selector(step.name, name): Column(lineage=lineage, values=made[name]) for name in names}
    columns[step.selector] = Column(lineage=lineage, values=positions)
    return columns


def _items(step: StepPlan, results: Mapping[Position, Any]) -> Iterator[tuple[Position, int, Any]]:
    for position, items in results.items():
        if not isinstance(items, list | tuple):
            raise wrong_answer(step, f"must answer a list of outputs, not {type(items).__name__}")
        for index, item in enumerate(items):
            yield position, index, item


def _check_result(step: StepPlan, result: Any) -> None:
    declared = step.block.outputs.keys()
    if not isinstance(result, Mapping):
        raise wrong_answer(step, f"must answer its outputs, not {type(result).__name__}")
    if result.keys() != declared:
        raise wrong_answer(step, f"must answer {', '.join(declared)}, and answered {', '.join(map(str, result))}")


def check_elements(step: StepPlan, count: int, max_elements: int | None) -> None:
    """Refuse a step that makes too many elements.

    Raises:
        RuntimeLimitsCausedStepExecutionError: `count` is above the limit.
    """
    if max_elements is not None and count > max_elements:
        error = RuntimeLimitsCausedStepExecutionError(
            f"step {step.name!r} makes {count} elements for this request; at most {max_elements} are allowed: "
            "send fewer images, or filter what it is made from"
        )
        raise failure_of(step, error)


def ports_of(step: StepPlan, ports: Ports) -> dict[str, Any]:
    """The ports a block asks for, by parameter name."""
    return {name: getattr(ports, name) for name in step.block.ports}
