"""A stage's work on one unit, in the process that calls."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping

from workflows.compiler.plan import Plan, Stage, StepPlan
from workflows.executor.arguments import prepare_step
from workflows.executor.calls import ports_of, run_calls
from workflows.executor.cropped_pixels import CroppedPixels
from workflows.executor.dispatcher import Column, StageUnit
from workflows.executor.failures import wrong_answer
from workflows.executor.results import collect_step
from workflows.ports import Ports
from workflows.values.time_left import check_time


def run_stage_here(
    plan: Plan,
    stage: Stage,
    unit: StageUnit,
    ports_for: Callable[[StepPlan], Ports] | None = None,
    on_step: Callable[[str, float], None] | None = None,
) -> dict[str, Column]:
    """Run the steps of a stage one after another on one unit.

    Args:
        plan: the plan.
        stage: one of its stages, whose blocks are plain functions.
        unit: what the steps read.
        ports_for: what blocks may ask for; None where nothing is to be had.
        on_step: told the name of each step that is over, and the milliseconds it took.

    Returns:
        `stage.gives` of this unit.

    Raises:
        WorkflowError: a step failed.
        DeadlineExceededError: the time of the work was over before the last step, or within one.
    """
    columns: dict[str, Column] = dict(unit.columns)
    cropped = CroppedPixels(unit.max_cropped_pixels)
    for name in stage.steps:
        check_time()
        began_s = time.perf_counter()
        step = plan.steps[name]
        if inspect.iscoroutinefunction(step.block.run):
            raise wrong_answer(step, f"waits for others and cannot run on {stage.runs_on}; let it run on the router")
        ports = {}
        if step.block.ports:
            if ports_for is None:
                raise wrong_answer(step, f"asks for {', '.join(step.block.ports)}, which {stage.runs_on} does not have")
            ports = ports_of(step, ports_for(step))
        work = prepare_step(step, columns)
        columns.update(collect_step(step, work, run_calls(step, work, ports, cropped), unit.max_elements))
        if on_step is not None:
            on_step(name, (time.perf_counter() - began_s) * 1000)
    return {selector: columns[selector] for selector in stage.gives}


def cut_units(
    stage: Stage,
    columns: Mapping[str, Column],
    batch_size: int,
    max_elements: int | None,
    excluded_fields: frozenset[str] = frozenset(),
    max_cropped_pixels: int | None = None,
) -> list[StageUnit]:
    """What a stage reads, as one unit for each element of the request's batch where the work can be cut."""
    needed = {selector: columns[selector] for selector in stage.needs}
    if not stage.per_element or batch_size == 1:
        columns_of_units = [needed]
    else:
        parts = {selector: column.by_element(batch_size) for selector, column in needed.items()}
        columns_of_units = [{selector: part[i] for selector, part in parts.items()} for i in range(batch_size)]
    return [
        StageUnit(
            columns=columns_of_unit,
            max_elements=max_elements,
            max_cropped_pixels=max_cropped_pixels,
            excluded_fields=excluded_fields,
        )
        for columns_of_unit in columns_of_units
    ]


def merge_units(stage: Stage, answers: list[Mapping[str, Column]]) -> dict[str, Column]:
    """The answers to a stage's units as whole columns."""
    if len(answers) == 1:
        return dict(answers[0])
    return {
        selector: Column(
            lineage=answers[0][selector].lineage,
            values={p: value for answer in answers for p, value in answer[selector].values.items()},
        )
        for selector in stage.gives
    }
