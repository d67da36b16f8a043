from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.workflows.query.chains import binary, chain, condition, dynamic, group, run, static
from tests.unit.workflows.ticking import TickingTime
from workflows.errors import DeadlineExceededError, OperationError
from workflows.query import time_limit
from workflows.query.time_limit import Evaluation, check_time, evaluations_of_step
from workflows.values import time_left
from workflows.values.time_left import work_until

TEN = [str(digit) for digit in range(10)]
TENFOLD = {"type": "SequenceMap", "lookup_table": dict.fromkeys(TEN, TEN)}


@pytest.fixture
def hurry(monkeypatch):
    monkeypatch.setattr(time_limit, "EVALUATION_LIMIT_S", 0.05)


def tenfold(depth: int) -> list[dict[str, object]]:
    """Makes of a list of ten 10^depth lists of ten."""
    return [TENFOLD, {"type": "SequenceApply", "operations": tenfold(depth - 1)}] if depth else []


def test_lists_inside_lists_are_stopped(hurry):
    with pytest.raises(OperationError, match=r"took longer than 0\.05 s"):
        run(*tenfold(12), value=TEN)


def test_two_long_lists_are_compared_as_long_as_there_is_time(hurry):
    left, right = list(range(100_000)), list(range(100_000, 200_000))
    with pytest.raises(OperationError, match="took longer"):
        condition(binary(static(left), "any in (Sequence)", static(right))).holds({})


def test_conditions_with_very_many_statements_are_stopped(hurry):
    slow = binary(static("a" * 200_000, *[{"type": "StringToUpperCase"}] * 20), "==", static(""))
    with pytest.raises(OperationError, match="took longer"):
        condition(*[group(slow)] * 500).holds({})


def test_the_clock_starts_anew_for_each_evaluation(hurry):
    lower = chain({"type": "StringToLowerCase"})
    for _ in range(3):
        with pytest.raises(OperationError):
            run(*tenfold(12), value=TEN)
        assert run(*[operation.model_dump() for operation in lower], value="A") == "a"


def test_an_evaluation_inside_another_has_no_time_of_its_own(monkeypatch):
    with Evaluation(), monkeypatch.context() as patched:
        patched.setattr(time_limit._clock, "ends_s", 0.0)
        with Evaluation(), pytest.raises(OperationError):
            check_time()
    check_time()  # outside of evaluations there is no clock


def test_a_usual_chain_is_not_stopped():
    many = [{"type": "SequenceApply", "operations": [{"type": "StringToUpperCase"}]}] * 3
    assert run(*many, value=["a"] * 1000) == ["A"] * 1000
    assert condition(binary(dynamic("n"), "any in (Sequence)", static(list(range(500))))).holds({"n": [499]})


@pytest.fixture
def ticking(monkeypatch):
    """A second passes between two looks at the clock; ten seconds are allowed."""
    clock = TickingTime(1.0)
    monkeypatch.setattr(time_limit, "time", clock)
    monkeypatch.setattr(time_left, "time", clock)
    monkeypatch.setattr(time_limit, "EVALUATION_LIMIT_S", 10.0)
    return clock


LOWER = {"type": "StringToLowerCase"}


def test_evaluations_of_a_step_have_one_limit_together(ticking):
    with evaluations_of_step():
        run(*[LOWER] * 5, value="A")
        with pytest.raises(OperationError, match="all elements of the step together"):
            run(*[LOWER] * 5, value="A")
    run(*[LOWER] * 5, value="A")


def test_an_evaluation_in_another_thread_has_the_whole_limit(ticking):
    with evaluations_of_step():
        run(*[LOWER] * 5, value="A")
        there = contextvars.copy_context()
        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(there.run, run, *[LOWER] * 5, value="A").result() == "a"


@pytest.mark.parametrize("other_thread", [False, True])
def test_an_evaluation_ends_with_the_time_of_the_request(ticking, other_thread):
    def evaluate():
        with pytest.raises(DeadlineExceededError, match="time was over"):
            run(*[LOWER] * 8, value="A")

    with work_until(ticking.time() + 3.5), ThreadPoolExecutor(1) as threads:
        if other_thread:
            threads.submit(contextvars.copy_context().run, evaluate).result()
        else:
            evaluate()
    assert ticking.looks < 7
