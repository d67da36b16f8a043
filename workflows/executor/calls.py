"""Calling a step's `run`, element after element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.compiler.plan import StepPlan
from workflows.executor.arguments import Arguments, StepWork
from workflows.executor.cropped_pixels import CroppedPixels
from workflows.executor.dispatcher import Position
from workflows.executor.failures import failure_of
from workflows.executor.pace import Pace
from workflows.ports import Ports
from workflows.values.time_left import check_time


def run_calls(
    step: StepPlan, work: StepWork, ports: Mapping[str, Any], cropped: CroppedPixels | None = None
) -> dict[Position, Any]:
    """Call a plain `run` for one element after the other.

    Args:
        step: whose.
        work: the elements.
        ports: what `run` asks for.
        cropped: counts what the step cuts out.

    Raises:
        WorkflowError: an element failed.
        DeadlineExceededError: the time of the work was over before the last.
    """
    results: dict[Position, Any] = {}
    for position, arguments in work.calls.items():
        check_time()
        results[position] = _called(step, arguments, ports)
        if cropped is not None:
            cropped.add_result(step, results[position])
    return results


async def run_calls_in_turns(
    step: StepPlan, work: StepWork, ports: Mapping[str, Any], pace: Pace
) -> dict[Position, Any]:
    """The same in an event loop, which is let in between elements when they take long.

    Raises:
        WorkflowError: an element failed, or the request's time was over.
    """
    results: dict[Position, Any] = {}
    for position, arguments in work.calls.items():
        if pace.is_over():
            await pace.next_turn()
        results[position] = _called(step, arguments, ports)
    return results


def _called(step: StepPlan, arguments: Arguments, ports: Mapping[str, Any]) -> Any:
    try:
        return step.block.run(**arguments, **ports)
    except Exception as error:
        raise failure_of(step, error) from error


def ports_of(step: StepPlan, ports: Ports) -> dict[str, Any]:
    """The ports a block asks for, by parameter name."""
    return {name: getattr(ports, name) for name in step.block.ports}
