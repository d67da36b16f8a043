import pytest

from tests.unit.workflows.sample_blocks import compiled, step
from workflows.errors import (
    ClientCausedStepExecutionError,
    DeadlineExceededError,
    ImageDecodeError,
    InvalidInputTypeError,
    RuntimeInputError,
    RuntimeLimitsCausedStepExecutionError,
    StepExecutionError,
    UndeclaredSymbolError,
)
from workflows.executor.failures import failure_of


@pytest.fixture
def planned():
    return compiled([], [step("Double", "d", number=1)]).steps["d"]


def test_whatever_a_block_raises_becomes_a_failure_of_its_step(planned):
    failure = failure_of(planned, ZeroDivisionError("division by zero"))
    assert isinstance(failure, StepExecutionError)
    assert (failure.message, failure.inner_type) == ("division by zero", "ZeroDivisionError")
    assert [(p.step, p.block_type) for p in failure.problems] == [("d", "Double")]


def test_an_error_without_words_is_called_by_its_name(planned):
    assert failure_of(planned, KeyError()).message == "KeyError"


def test_an_image_that_cannot_be_decoded_is_the_requests_fault(planned):
    failure = failure_of(planned, ImageDecodeError("cut short"))
    assert isinstance(failure, RuntimeInputError)
    assert "cut short" in failure.message


def test_errors_of_the_language_stay_what_they_are(planned):
    error = RuntimeInputError("what was asked makes no sense")
    assert failure_of(planned, error) is error


@pytest.mark.parametrize("kind", [InvalidInputTypeError, UndeclaredSymbolError])
def test_errors_of_queries_keep_their_type_and_name_the_step(planned, kind):
    failure = failure_of(planned, kind("operation 0: takes a string", None, "TypeError", "no string"))
    assert type(failure) is kind
    assert failure.message == "step 'd': operation 0: takes a string"
    assert (failure.inner_type, failure.inner_message) == ("TypeError", "no string")


@pytest.mark.parametrize("kind", [RuntimeLimitsCausedStepExecutionError, DeadlineExceededError])
def test_errors_of_steps_learn_their_place(planned, kind):
    failure = failure_of(planned, kind("too much"))
    assert type(failure) is kind
    assert [(p.step, p.details) for p in failure.problems] == [("d", "too much")]


def test_the_status_of_a_model_call_is_kept(planned):
    failure = failure_of(planned, ClientCausedStepExecutionError("unknown", None, "UnknownModelError", "unknown", 404))
    assert (failure.status, failure.inner_type) == (404, "UnknownModelError")


def test_an_error_that_knows_its_place_is_kept(planned):
    known = failure_of(planned, RuntimeLimitsCausedStepExecutionError("too much"))
    other = compiled([], [step("Double", "other", number=1)]).steps["other"]
    assert failure_of(other, known) is known
