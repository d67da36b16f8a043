"""What a step's `run` gave: checked against the block's declaration, and placed in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.block import GoTo
from workflows.compiler.plan import StepPlan
from workflows.definition.selectors import output_selector
from workflows.errors import RuntimeLimitsCausedStepExecutionError
from workflows.executor.arguments import StepWork
from workflows.executor.dispatcher import Column, Position
from workflows.executor.failures import failure_of, wrong_answer


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
