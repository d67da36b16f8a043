"""Which status and which JSON body each error becomes: one row a class, and nothing else anywhere."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from deployments import errors as serving
from deployments.ingress.json_codec import JsonResponse
from deployments.models import errors as model
from workflows import errors as language

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""The client hung up; nobody reads the answer, the number stands in the log."""


MAX_TEXT_CHARACTERS = 4000
"""Of each text in an error's body: names and values that clients sent stand in them."""


class ClientClosedError(Exception):
    """The client hung up before its answer was ready."""


class Shape(Enum):
    """Which keys a body has."""

    WORKFLOW = "message, type, context, cause, the places that are wrong, and what Python blocks printed"
    SHORT = "message, type, context and cause"
    SHORT_WITH_STREAMS = "as SHORT, and what Python blocks printed"
    MESSAGE = "the message alone"
    STATUS_AND_MESSAGE = "the status and the message"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees of an error.

    Attributes:
        status: the HTTP status.
        shape: keys of the body.
        retry_after_s: seconds for the `Retry-After` header; None leaves it out.
    """

    status: int
    shape: Shape
    retry_after_s: int | None = None


ANSWERS: Mapping[type[Exception], Answer] = {
    language.WorkflowError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.ImageDecodeError: Answer(400, Shape.MESSAGE),
    language.DefinitionError: Answer(400, Shape.WORKFLOW),
    language.WorkflowDefinitionError: Answer(400, Shape.SHORT),
    language.NotSupportedExecutionEngineError: Answer(400, Shape.SHORT),
    language.WorkflowSyntaxError: Answer(400, Shape.WORKFLOW),
    language.DuplicatedNameError: Answer(400, Shape.SHORT),
    language.GraphError: Answer(400, Shape.WORKFLOW),
    language.InvalidReferenceTargetError: Answer(400, Shape.WORKFLOW),
    language.ReferenceTypeError: Answer(400, Shape.SHORT),
    language.ExecutionGraphStructureError: Answer(400, Shape.WORKFLOW),
    language.StepInputDimensionalityError: Answer(400, Shape.WORKFLOW),
    language.StepInputLineageError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.StepOutputLineageError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.ControlFlowDefinitionError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.AssumptionError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.WorkflowEnvironmentConfigurationError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.RuntimeInputError: Answer(400, Shape.SHORT),
    language.QueryError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.InvalidInputTypeError: Answer(400, Shape.SHORT),
    language.UndeclaredSymbolError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.OperationError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.EvaluationEngineError: Answer(500, Shape.SHORT_WITH_STREAMS),
    language.StepError: Answer(500, Shape.WORKFLOW),
    language.StepExecutionError: Answer(500, Shape.WORKFLOW),
    language.ClientCausedStepExecutionError: Answer(400, Shape.WORKFLOW),  # the error's own status wins
    language.RuntimeLimitsCausedStepExecutionError: Answer(507, Shape.WORKFLOW),
    # 504: the deadline is missed under load more often than by one slow request, and clients that send an idempotent
    # request again on 503 and 504 then do the right thing.
    language.DeadlineExceededError: Answer(504, Shape.WORKFLOW),
    serving.ServingError: Answer(500, Shape.MESSAGE),
    serving.InvalidRequestError: Answer(400, Shape.MESSAGE),
    serving.ImageInputError: Answer(400, Shape.MESSAGE),
    serving.PayloadTooLargeError: Answer(413, Shape.MESSAGE),
    serving.WorkflowNotFoundError: Answer(404, Shape.MESSAGE),
    serving.ModelTaskError: Answer(400, Shape.MESSAGE),
    serving.UnauthorizedKeyError: Answer(401, Shape.STATUS_AND_MESSAGE),
    serving.ForbiddenKeyError: Answer(403, Shape.STATUS_AND_MESSAGE),
    serving.StateUnavailableError: Answer(503, Shape.MESSAGE, retry_after_s=1),
    serving.OverloadedError: Answer(503, Shape.MESSAGE, retry_after_s=1),  # the error's own time wins
    serving.ClientOverLimitError: Answer(429, Shape.MESSAGE, retry_after_s=1),
    serving.ModelNotLoadedError: Answer(503, Shape.MESSAGE, retry_after_s=1),  # the WorkflowRouter keeps it to itself
    serving.ReplicaLostError: Answer(503, Shape.MESSAGE, retry_after_s=1),
    model.ModelError: Answer(500, Shape.MESSAGE),
    model.UnknownModelError: Answer(404, Shape.MESSAGE),
    model.InvalidModelIdError: Answer(400, Shape.MESSAGE),
    model.ModelPackageError: Answer(500, Shape.MESSAGE),
    model.OtherRuntimeError: Answer(500, Shape.MESSAGE),
    model.ModelSourceError: Answer(500, Shape.MESSAGE),
    model.ModelLoadError: Answer(500, Shape.MESSAGE),
    model.ModelUnavailableError: Answer(503, Shape.MESSAGE, retry_after_s=1),
    model.UnsupportedModelError: Answer(501, Shape.MESSAGE),
    ClientClosedError: Answer(CLIENT_CLOSED_REQUEST, Shape.MESSAGE),
}


def answer_for(error: Exception) -> Answer:
    """The row of the error's class, or of the nearest class above it."""
    row = next((ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS), Answer(500, Shape.MESSAGE))
    if isinstance(error, language.ClientCausedStepExecutionError):
        return Answer(error.status, row.shape)
    if isinstance(error, serving.OverloadedError):
        return Answer(row.status, row.shape, retry_after_s=max(1, math.ceil(error.retry_after_s)))
    return row


def body_of(error: Exception, shape: Shape) -> dict[str, Any]:
    """The JSON body of an error; what is absent is null, or the text `None` where clients expect a text.

    Source: roboflow/inference 1.8.3, answers recorded in tests/conformance.
    """
    if not isinstance(error, language.WorkflowError) or shape in (Shape.MESSAGE, Shape.STATUS_AND_MESSAGE):
        return {"message": shortened(str(error))}
    while_compiling = shape is Shape.WORKFLOW and isinstance(error, language.DefinitionError)
    body: dict[str, Any] = {
        "message": shortened(error.message),
        "error_type": type(error).__name__,
        "context": error.context,
        "inner_error_type": error.inner_type or ("None" if while_compiling else None),
        "inner_error_message": shortened(error.inner_message or "None"),
    }
    if shape is Shape.WORKFLOW:
        body["blocks_errors"] = None if error.problems is None else [_problem(p) for p in error.problems]
    if shape is not Shape.SHORT:
        body |= {"python_blocks_output_streams": None, "python_blocks_debug_traces": None}
    return body


def _problem(problem: language.BlockProblem) -> dict[str, Any]:
    traceback = _short(problem.traceback)
    return {
        "block_id": _short(problem.step),
        "block_type": _short(problem.block_type),
        "block_details": None,
        "property_name": _short(problem.property_name),
        "property_details": _short(problem.details),
        "block_traceback": None
        if traceback is None
        else {"traceback": traceback, "error_line": None, "code_snippet": None, "stdout": None, "stderr": None},
    }


def shortened(text: str) -> str:
    """The text, without its middle when it is too long for an answer."""
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    half = MAX_TEXT_CHARACTERS // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters left out] {text[-half:]}"


def _short(text: str | None) -> str | None:
    return None if text is None else shortened(text)


def response_for(error: Exception) -> Response:
    """The whole answer to a request that failed with `error`."""
    if isinstance(error, RecursionError):
        error = serving.InvalidRequestError("the request is nested too deep; no list or object needs 100 levels")
    answer = answer_for(error)
    if not isinstance(error, (language.WorkflowError, serving.ServingError, ClientClosedError)):
        logger.error("internal error", exc_info=error)
        return JsonResponse({"message": "Internal error."}, status_code=500)
    headers = {} if answer.retry_after_s is None else {"Retry-After": str(answer.retry_after_s)}
    body = body_of(error, answer.shape)
    if answer.shape is Shape.STATUS_AND_MESSAGE:
        body = {"status": answer.status} | body
    return JsonResponse(body, status_code=answer.status, headers=headers)


HANDLED = (language.WorkflowError, serving.ServingError, ClientClosedError, RequestValidationError)
"""What routes raise on purpose."""


def handled(request: Request, error: Exception) -> Response:
    """The answer to a request whose route raised one of `HANDLED`, which is kept for its line in the log."""
    request.state.error = error
    return unprocessable(error.errors()) if isinstance(error, RequestValidationError) else response_for(error)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of `workflows` and `deployments`, whichever route it came from."""

    async def answer(request: Request, error: Exception) -> Response:
        return handled(request, error)

    for kind in HANDLED:
        app.add_exception_handler(kind, answer)


def unprocessable(problems: Any) -> Response:
    """422 with one entry for each place of the body that does not fit."""
    detail = [{key: p[key] for key in ("type", "loc", "msg", "input", "ctx") if key in p} for p in problems]
    for entry in detail:
        entry["msg"] = shortened(entry["msg"])
        entry["loc"] = [shortened(part) if isinstance(part, str) else part for part in entry["loc"]]
        if isinstance(entry.get("input"), str):
            entry["input"] = shortened(entry["input"])
        if "ctx" in entry:  # pydantic puts exceptions there
            entry["ctx"] = {key: shortened(str(value)) for key, value in entry["ctx"].items()}
    return JsonResponse({"detail": detail}, status_code=HTTPStatus.UNPROCESSABLE_ENTITY)
