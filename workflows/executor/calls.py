"""Calling a step's `run`, element after element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.compiler.plan import StepPlan
from workflows.executor.arguments import StepWork
from workflows.executor.dispatcher import Position
from workflows.executor.failures import failure_of
from workflows.ports import Ports
from workflows.values.time_left import check_time


def run_calls(step: StepPlan, work: StepWork, ports: Mapping[str, Any]) -> dict[Position, Any]:
    """Call a plain `run` for one element after the other.

    Raises:
        WorkflowError: an element failed.
        DeadlineExceededError: the time of the work was over before the last.
    """
    run = step.block.run
    results: dict[Position, Any] = {}
    for position, arguments in work.calls.items():
        check_time()
        try:
            results[position] = run(**arguments, **ports)
        except Exception as error:
            raise failure_of(step, error) from error
    return results


def ports_of(step: StepPlan, ports: Ports) -> dict[str, Any]:
    """The ports a block asks for, by parameter name."""
    return {name: getattr(ports, name) for name in step.block.ports}
