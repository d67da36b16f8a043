"""Values in the tables: recorded from the server of `inference` 1.8.3, unless a name says that we differ."""

from typing import get_args

import pytest

from tests.unit.workflows.query.chains import binary, condition, static, unary
from tests.unit.workflows.query.values import detections
from workflows.errors import EvaluationEngineError
from workflows.query.comparators import BINARY, UNARY, BinaryName, UnaryName
from workflows.query.detection_properties import one_by_one

LIST = [1, 5, "abc"]
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


@pytest.mark.parametrize(
    ("left", "comparator", "right", "expected"),
    [
        (5, "==", 5.0, True),
        (5, "==", "5", False),
        (None, "==", None, True),
        (LIST, "(Number) ==", LIST, True),
        ("abc", "(Number) ==", "abc", True),
        (5, "!=", "5", True),
        (5, "(Number) !=", 5.0, False),
        (5, "(Number) >", 5.0, False),
        (True, "(Number) <", 5, True),
        ("abc", "(Number) >=", "abc", True),
        (5, "(Number) <=", 5.0, True),
        (5, "(Number) in range", [5, 10], True),
        (10, "(Number) in range", [5, 10], True),
        (4.9, "(Number) in range", [5, 10], False),
        (5, "(Number) in range", [10, 5], False),
        (5, "(Number) in range", [1, 2, 3], False),
        ("abcdef", "(String) startsWith", "abc", True),
        ("abcdef", "(String) startsWith", "bc", False),
        ("abcdef", "(String) endsWith", "def", True),
        ("abcdef", "(String) endsWith", "de", False),
        ("abcdef", "(String) contains", "cd", True),
        (LIST, "(String) contains", "abc", True),
        (5, "in (Sequence)", LIST, True),
        ("abc", "in (Sequence)", {"abc": 1}, True),
        (None, "in (Sequence)", LIST, False),
        ([1], "in (Sequence)", LIST, False),
        ([1, 9], "any in (Sequence)", [1, 2], True),
        ([], "any in (Sequence)", LIST, False),
        ([1, 9], "all in (Sequence)", [1, 2], False),
        ([], "all in (Sequence)", LIST, True),
        ([5.0, 5.5], "(Detection) in zone", SQUARE, True),
        ([0, 5], "(Detection) in zone", SQUARE, False),
        ([10, 10], "(Detection) in zone", SQUARE, False),
        ([5, 5], "(Detection) in zone", [], False),
    ],
)
def test_two_values_are_compared_as_the_language_says(left, comparator, right, expected):
    assert condition(binary(static(left), comparator, static(right))).holds({}) is expected


@pytest.mark.parametrize(
    ("left", "comparator", "right"),
    [
        (5, "(Number) >", "5"),
        (None, "(Number) <=", None),
        ({"a": 1}, "(Number) <", {"a": 1}),
        ("5", "(Number) in range", [5, 10]),
        (5, "(Number) in range", [5]),
        (5, "(Number) in range", 5),
        (5, "(Number) in range", {"a": 1}),
        (5, "(String) startsWith", "5"),
        ("abc", "(String) startsWith", None),
        (None, "(String) endsWith", "abc"),
        ("abc", "(String) contains", 5),
        (5, "in (Sequence)", 5),
        (5, "in (Sequence)", "abc"),
        ({"a": 1}, "in (Sequence)", {"a": 1}),
        (None, "any in (Sequence)", LIST),
        (5, "all in (Sequence)", LIST),
        ([5, 5], "(Detection) in zone", SQUARE[:2]),
        ([5], "(Detection) in zone", SQUARE),
        (None, "(Detection) in zone", SQUARE),
        ([5, 5], "(Detection) in zone", [SQUARE]),
    ],
)
def test_values_that_cannot_be_compared_are_an_error(left, comparator, right):
    with pytest.raises(EvaluationEngineError, match="cannot be told of"):
        condition(binary(static(left), comparator, static(right))).holds({})


def test_a_detection_is_in_a_zone_when_its_middle_is():
    inside, outside = one_by_one(detections([0, 0, 8, 8], [8, 8, 20, 20]))
    assert BINARY["(Detection) in zone"].holds(inside, SQUARE)
    assert not BINARY["(Detection) in zone"].holds(outside, SQUARE)


@pytest.mark.parametrize(
    ("operator", "true_for", "false_for"),
    [
        ("Exists", [0, False, "", [], {}, 5], [None]),
        ("DoesNotExist", [None], [0, False, "", [], {}, 5]),
        ("(Boolean) is True", [True], [1, "true", [1], None, False]),
        ("(Boolean) is False", [False], [0, "", [], None, True]),
        ("(Sequence) is empty", [[], {}, ""], [[0], {"a": 1}, "a"]),
        ("(Sequence) is not empty", [[0], {"a": 1}, "a"], [[], {}, ""]),
    ],
)
def test_one_value_is_judged_as_the_language_says(operator, true_for, false_for):
    assert [condition(unary(static(value), operator)).holds({}) for value in true_for] == [True] * len(true_for)
    assert [condition(unary(static(value), operator)).holds({}) for value in false_for] == [False] * len(false_for)


def test_detections_may_be_empty():
    assert UNARY["(Sequence) is empty"].holds(detections())
    assert UNARY["(Sequence) is not empty"].holds(detections([0, 0, 1, 1]))


@pytest.mark.parametrize("operator", ["(Sequence) is empty", "(Sequence) is not empty"])
@pytest.mark.parametrize("value", [5, None, True])
def test_what_has_no_elements_is_neither_empty_nor_not(operator, value):
    with pytest.raises(EvaluationEngineError, match="cannot be told of"):
        condition(unary(static(value), operator)).holds({})


def test_every_name_has_a_test():
    assert set(BINARY) == set(get_args(BinaryName))
    assert set(UNARY) == set(get_args(UnaryName))
