"""Let elements go on only where a condition holds."""

import time
from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.block import Block, BlockManifest, GoTo, RunsOn
from workflows.manifest_fields import AnyRef, FloatRef, NotNegative, StepRef
from workflows.ports import StepRun
from workflows.query.language import StatementGroup

LAST_PASS = "last_pass_s"  # noqa: S105 - a key of the step's memory


class ContinueIf(BlockManifest):
    """Let elements go on only where a condition holds."""

    human_name: ClassVar[str] = "Continue If"
    category: ClassVar[str] = "flow_control"

    type: Literal["roboflow_core/continue_if@v1", "ContinueIf"]
    condition_statement: StatementGroup = Field(description="The condition.")
    evaluation_parameters: dict[str, AnyRef] = Field(
        default_factory=dict, description="Operand names of the condition -> values."
    )
    next_steps: list[StepRef] = Field(description="Steps that run where the condition holds; none ends the branch.")
    stop_delay: NotNegative | FloatRef = Field(
        default=0, description="Seconds for which elements still pass after the condition last held."
    )


def run(
    condition_statement: StatementGroup,
    evaluation_parameters: dict[str, Any],
    next_steps: list[str],
    stop_delay: float,
    *,
    step_run: StepRun,
) -> GoTo:
    now_s = time.monotonic()
    if condition_statement.holds(evaluation_parameters):
        step_run.memory[LAST_PASS] = now_s
    elif LAST_PASS not in step_run.memory or now_s - step_run.memory[LAST_PASS] >= stop_delay:
        return GoTo(())
    return GoTo(tuple(next_steps))


BLOCK = Block(ContinueIf, run, runs_on=RunsOn.ROUTER, flow_control=True)
