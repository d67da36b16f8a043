"""One request: from the values that came with it to the results that answer it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Mapping
from typing import Any

from workflows.block import RunsOn
from workflows.compiler.plan import REQUEST_BATCH, Plan, Stage, StepPlan
from workflows.definition.selectors import output_selector
from workflows.errors import DeadlineExceededError
from workflows.executor.arguments import Arguments, StepWork, prepare_step
from workflows.executor.calls import ports_of, run_calls_in_turns
from workflows.executor.cropped_pixels import CroppedPixels
from workflows.executor.dispatcher import Column, Dispatcher, Position, StageUnit
from workflows.executor.failures import failure_of
from workflows.executor.inputs import assemble_inputs
from workflows.executor.options import RunOptions
from workflows.executor.outputs import build_outputs
from workflows.executor.pace import Pace
from workflows.executor.results import check_elements, collect_step
from workflows.executor.stage import cut_units, merge_units
from workflows.executor.together import FirstFailure, together
from workflows.query.time_limit import evaluations_of_step
from workflows.values.time_left import check_time, work_until

_FAR_OFF_S = 10 * 365 * 24 * 3600.0  # loops refuse timers of infinite length


async def run_workflow(
    plan: Plan, inputs: Mapping[str, Any], dispatcher: Dispatcher, options: RunOptions
) -> list[dict[str, Any]]:
    """Run a plan once.

    Args:
        plan: what to run.
        inputs: name -> JSON value, as the request brought them.
        dispatcher: reaches the places where stages run.
        options: limits and surroundings.

    Returns:
        One JSON-ready result for each element of the request's batch; one alone when no output is part of a batch.

    Raises:
        RuntimeInputError: the values do not fit the document.
        WorkflowError: a step failed; all others were stopped.
        DeadlineExceededError: time was over; nothing is left running.
    """
    remaining_s = options.deadline_unix_s - time.time()
    if remaining_s <= 0:
        raise DeadlineExceededError.since(options.deadline_unix_s)
    pace = Pace(options.deadline_unix_s)
    alarm = asyncio.timeout(min(remaining_s, _FAR_OFF_S))
    try:
        async with alarm:
            columns = await assemble_inputs(plan, inputs, options, pace)
            with work_until(options.deadline_unix_s):
                await _Run(plan=plan, columns=columns, dispatcher=dispatcher, options=options, pace=pace).stages()
    except Exception as error:
        if alarm.expired():
            raise DeadlineExceededError.since(
                options.deadline_unix_s
            ) from error  # whatever stopped steps said on their way out
        raise
    return await build_outputs(plan, columns, options, pace)


class _Run:
    """What the stages of one run share.

    Args:
        plan: what runs.
        columns: selector -> column; the inputs, to which each stage adds what it gives.
        dispatcher: reaches the places where stages run.
        options: limits and surroundings.
        pace: of the request.
    """

    def __init__(
        self, *, plan: Plan, columns: dict[str, Column], dispatcher: Dispatcher, options: RunOptions, pace: Pace
    ) -> None:
        self._plan = plan
        self._columns = columns
        self._dispatcher = dispatcher
        self._options = options
        self._pace = pace
        self._cropped = CroppedPixels(options.max_cropped_pixels)

    async def stages(self) -> None:
        """Start every stage as soon as those before it are over; the first failure stops all."""
        stages = self._plan.stages
        if len(stages) == 1:
            await self._stage(stages[0])
            return
        tasks: list[asyncio.Task[None]] = []

        async def run_in_turn(stage: Stage) -> None:
            for index in stage.after:
                await tasks[index]
            await self._stage(stage)

        async with FirstFailure() as group:
            tasks.extend(group.create_task(run_in_turn(stage)) for stage in stages)

    async def _stage(self, stage: Stage) -> None:
        check_time()  # a long plain step keeps the alarm from ringing
        if stage.runs_on is RunsOn.TRANSFORMS:
            self._columns.update(await self._in_units(stage))
        else:
            self._columns.update(await self._in_router(self._plan.steps[stage.steps[0]]))

    async def _in_units(self, stage: Stage) -> dict[str, Column]:
        plan, options = self._plan, self._options
        size = len(self._columns[REQUEST_BATCH].values)
        units = cut_units(
            stage,
            self._columns,
            size,
            options.max_elements_per_step,
            options.excluded_fields,
            options.max_cropped_pixels,
        )
        cutting = [plan.steps[name] for name in stage.steps if plan.steps[name].block.output_offset == 1]
        cut = {output_selector(step.name, output): step for step in cutting for output in step.block.outputs}

        async def run_unit(unit: StageUnit) -> Mapping[str, Column]:
            given = await self._dispatcher.run_stage(plan, stage, unit)
            for selector in given.keys() & cut.keys():  # as they come: the first too many stops the rest
                self._cropped.add(cut[selector], given[selector].values.values())
            return given

        answers = await together([run_unit(unit) for unit in units])
        given = merge_units(stage, answers)
        makers = {plan.steps[name].selector: plan.steps[name] for name in stage.steps}
        for column in given.values():
            if column.lineage and (maker := makers.get(column.lineage[-1])):
                check_elements(maker, len(column.values), options.max_elements_per_step)
        return given

    async def _in_router(self, step: StepPlan) -> dict[str, Column]:
        began_s = time.perf_counter()
        work = prepare_step(step, self._columns)
        ports = ports_of(step, self._dispatcher.ports(step)) if step.block.ports and work.calls else {}
        waits = bool(work.calls) and inspect.iscoroutinefunction(step.block.run)
        with evaluations_of_step():
            if waits:
                results = await self._await_calls(step, work, ports)
            else:
                results = await run_calls_in_turns(step, work, ports, self._pace)
        given = collect_step(step, work, results, self._options.max_elements_per_step)
        if not (waits and ports):  # what waits for a port computes elsewhere
            self._dispatcher.step_done(step, (time.perf_counter() - began_s) * 1000)
        return given

    async def _await_calls(self, step: StepPlan, work: StepWork, ports: Mapping[str, Any]) -> dict[Position, Any]:
        async def call(arguments: Arguments) -> Any:
            if not ports and self._pace.is_over():  # without ports it computes here, all of it before it lets go
                await self._pace.next_turn()
            try:
                return await step.block.run(**arguments, **ports)
            except self._options.passed_through:
                raise
            except Exception as error:
                raise failure_of(step, error) from error

        results = await together([call(arguments) for arguments in work.calls.values()])
        return dict(zip(work.calls, results, strict=True))
