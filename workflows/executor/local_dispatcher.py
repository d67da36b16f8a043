"""All stages in the process that asks, for tests and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workflows.compiler.plan import Plan, Stage, StepPlan
from workflows.executor.dispatcher import Column, StageUnit
from workflows.executor.stage import run_stage_here
from workflows.ports import Ports


class LocalDispatcher:
    """Runs stages where it is called.

    Args:
        ports_factory: makes what a step's block may ask for, anew for each run of a step.
    """

    def __init__(self, ports_factory: Callable[[StepPlan], Ports]) -> None:
        self._ports_factory = ports_factory

    def ports(self, step: StepPlan) -> Ports:
        """What the step's block may ask for."""
        return self._ports_factory(step)

    async def run_stage(self, plan: Plan, stage: Stage, unit: StageUnit) -> Mapping[str, Column]:
        """Run the steps of a stage on one unit."""
        return run_stage_here(plan, stage, unit, self._ports_factory)

    def step_done(self, step: StepPlan, compute_ms: float) -> None:
        """Nobody measures here."""
