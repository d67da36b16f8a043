import inspect
import json
import pickle

import pytest

import deployments.errors
import deployments.models.errors
import workflows.errors
from deployments.errors import ClientOverLimitError, OverloadedError, PayloadTooLargeError, ServingError
from deployments.ingress.errors import ANSWERS, Shape, answer_for, body_of, response_for, shortened, unprocessable
from deployments.models.errors import ModelError, UnknownModelError
from workflows.errors import (
    AssumptionError,
    BlockProblem,
    ClientCausedStepExecutionError,
    DeadlineExceededError,
    ReferenceTypeError,
    RuntimeInputError,
    StepExecutionError,
    WorkflowError,
    WorkflowSyntaxError,
)

WORKFLOW_KEYS = [
    "message",
    "error_type",
    "context",
    "inner_error_type",
    "inner_error_message",
    "blocks_errors",
    "python_blocks_output_streams",
    "python_blocks_debug_traces",
]
SHORT_KEYS = WORKFLOW_KEYS[:5]


def classes_of(module, base):
    return {kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)}


def test_every_error_has_its_own_row():
    declared = (
        classes_of(workflows.errors, WorkflowError)
        | classes_of(deployments.errors, ServingError)
        | {kind for kind in classes_of(deployments.models.errors, ModelError) if not kind.__name__.startswith("_")}
    )
    assert declared - set(ANSWERS) == set()


@pytest.mark.parametrize(
    ("error", "status", "keys"),
    [
        (WorkflowSyntaxError("m", []), 400, WORKFLOW_KEYS),
        (ReferenceTypeError("m"), 400, SHORT_KEYS),
        (AssumptionError("m"), 500, SHORT_KEYS + WORKFLOW_KEYS[6:]),
        (RuntimeInputError("m"), 400, SHORT_KEYS),
        (StepExecutionError("m", []), 500, WORKFLOW_KEYS),
        (DeadlineExceededError("m"), 504, WORKFLOW_KEYS),
        (PayloadTooLargeError("m"), 413, ["message"]),
        (UnknownModelError("m", "a/1"), 404, ["message"]),
        (OverloadedError("m"), 503, ["message"]),
        (ClientOverLimitError("m"), 429, ["message"]),
    ],
)
def test_an_error_answers_with_its_status_and_the_keys_of_its_shape(error, status, keys):
    response = response_for(error)
    assert response.status_code == status
    assert list(json.loads(response.body)) == keys


def test_a_missing_cause_is_null_at_run_time_and_a_text_for_compile_errors_with_places():
    assert body_of(WorkflowSyntaxError("m"), Shape.WORKFLOW)["inner_error_type"] == "None"
    assert body_of(RuntimeInputError("m"), Shape.SHORT)["inner_error_type"] is None
    assert body_of(RuntimeInputError("m"), Shape.SHORT)["inner_error_message"] == "None"


def test_places_that_are_wrong_are_told_with_every_key():
    problem = BlockProblem(step="crop", block_type="Crop", property_name="image", details="why", traceback="where")
    (told,) = body_of(StepExecutionError("m", [problem]), Shape.WORKFLOW)["blocks_errors"]
    assert told == {
        "block_id": "crop",
        "block_type": "Crop",
        "block_details": None,
        "property_name": "image",
        "property_details": "why",
        "block_traceback": {
            "traceback": "where",
            "error_line": None,
            "code_snippet": None,
            "stdout": None,
            "stderr": None,
        },
    }


def test_no_places_and_an_empty_list_of_places_stay_different():
    assert body_of(WorkflowSyntaxError("m"), Shape.WORKFLOW)["blocks_errors"] is None
    assert body_of(WorkflowSyntaxError("m", []), Shape.WORKFLOW)["blocks_errors"] == []


def test_a_step_that_failed_for_the_client_keeps_the_status_of_the_cause_across_processes():
    error = pickle.loads(pickle.dumps(ClientCausedStepExecutionError("m", [], "UnknownModelError", "m", 404)))
    assert answer_for(error).status == 404


def test_what_nobody_foresaw_is_a_500_that_says_nothing_of_the_inside():
    response = response_for(KeyError("secret"))
    assert response.status_code == 500
    assert json.loads(response.body) == {"message": "Internal error."}


def test_an_overloaded_server_says_when_to_come_back():
    assert response_for(OverloadedError("m")).headers["retry-after"] == "1"
    assert response_for(ClientOverLimitError("m", 2.1)).headers["retry-after"] == "3"
    assert response_for(pickle.loads(pickle.dumps(OverloadedError("m", 7.0)))).headers["retry-after"] == "7"


def test_a_class_below_a_known_one_answers_as_that_one():
    class NewError(PayloadTooLargeError):
        pass

    assert answer_for(NewError("m")).status == 413


@pytest.mark.parametrize(("length", "kept"), [(4000, 4000), (4001, 4000 + 25), (100_000, 4000 + 29)])
def test_long_texts_lose_their_middle(length, kept):
    text = shortened("a" * (length - 1) + "z")
    assert len(text) == kept
    assert (text[0], text[-1]) == ("a", "z")


def test_no_text_of_a_body_is_longer_than_a_client_can_read():
    name = "n" * 100_000
    problems = [BlockProblem(step=name, block_type=name, property_name=name, details=name, traceback=name)]
    for shape in Shape:
        assert len(json.dumps(body_of(WorkflowSyntaxError(name, problems), shape))) < 30_000
    problem = {"type": "missing", "loc": ("body", name), "msg": name, "input": name, "ctx": {"error": name}}
    assert len(unprocessable([problem]).body) < 30_000
