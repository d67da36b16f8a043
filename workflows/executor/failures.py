"""What a step's failure looks like from outside."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from workflows.compiler.plan import StepPlan
from workflows.errors import (
    BlockProblem,
    ClientCausedStepExecutionError,
    ImageDecodeError,
    QueryError,
    RuntimeInputError,
    StepError,
    StepExecutionError,
    WorkflowError,
)


def failure_of(step: StepPlan, error: Exception) -> WorkflowError:
    """The error by which a run ends when a step raised `error`.

    Errors of the language (a query that makes no sense, a limit, a model that does not exist) keep their type; whatever
    else a block raises becomes a StepExecutionError.
    """
    if isinstance(error, ImageDecodeError):
        # every image that a step makes has pixels, so these are bytes that the client sent
        return RuntimeInputError(f"an image of the request turned out to be unreadable in step {step.name!r}: {error}")
    if isinstance(error, StepError):
        return error if error.problems else _placed(step, error)
    if isinstance(error, QueryError):
        return type(error)(f"step {step.name!r}: {error.message}", None, error.inner_type, error.inner_message)
    if isinstance(error, WorkflowError):
        return error
    message = str(error) or type(error).__name__
    return StepExecutionError(message, [_problem(step, message, error)], type(error).__name__, message)


def wrong_answer(step: StepPlan, what: str) -> StepExecutionError:
    """The error for a block that does not keep to its own declaration."""
    message = f"step {step.name!r} ({step.block.type}) {what}"
    return StepExecutionError(message, [_problem(step, message, None)])


def _placed(step: StepPlan, error: StepError) -> StepError:
    problems = [_problem(step, error.message, None)]
    if isinstance(error, ClientCausedStepExecutionError):
        return ClientCausedStepExecutionError(
            error.message, problems, error.inner_type, error.inner_message, error.status
        )
    return type(error)(error.message, problems, error.inner_type, error.inner_message)


def _problem(step: StepPlan, details: str, error: Exception | None) -> BlockProblem:
    return BlockProblem(
        step=step.name,
        block_type=step.declared_type,
        details=details,
        traceback=None if error is None else _where(error),
    )


def _where(error: Exception) -> str:
    """File names without their folders: where the server is installed is nobody's business."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f'File "{PurePath(frame.filename).name}", line {frame.lineno}, in {frame.name}' for frame in frames[1:]]
    return "\n".join([*lines, f"{type(error).__name__}: {error}"])
