"""Values in the tables: recorded from the server of `inference` 1.8.3, unless a name says that we differ."""

import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import run
from workflows.errors import InvalidInputTypeError


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ({"type": "ToNumber", "cast_to": "int"}, "7", 7),
        ({"type": "ToNumber", "cast_to": "int"}, "7.9", 7),
        ({"type": "ToNumber", "cast_to": "int"}, "-7.9", -7),
        ({"type": "ToNumber", "cast_to": "int"}, " 3 ", 3),
        ({"type": "ToNumber", "cast_to": "int"}, "1e3", 1000),
        ({"type": "ToNumber", "cast_to": "int"}, 2.7, 2),
        ({"type": "ToNumber", "cast_to": "int"}, True, 1),
        ({"type": "ToNumber", "cast_to": "float"}, "7", 7.0),
        ({"type": "ToNumber", "cast_to": "float"}, 2, 2.0),
        ({"type": "ToNumber", "cast_to": "float"}, True, 1.0),
        ({"type": "ToBoolean"}, 0, False),
        ({"type": "ToBoolean"}, -0.5, True),
        ({"type": "ToBoolean"}, "false", True),
        ({"type": "ToBoolean"}, "", False),
        ({"type": "ToBoolean"}, [], False),
        ({"type": "NumberRound", "decimal_digits": 2}, 2.675, 2.67),
        ({"type": "NumberRound", "decimal_digits": 2}, 5, 5),
        ({"type": "NumberRound", "decimal_digits": 0}, 2.5, 2.0),
        ({"type": "NumberRound", "decimal_digits": 0}, 3.5, 4.0),
        ({"type": "NumberRound", "decimal_digits": 0}, -1.5, -2.0),
        ({"type": "NumberRound", "decimal_digits": -2}, 1234.5, 1200.0),
        ({"type": "NumberRound", "decimal_digits": 2}, True, 1),
        ({"type": "Multiply", "other": 3}, 5, 15),
        ({"type": "Multiply", "other": 3}, 2.5, 7.5),
        ({"type": "Multiply", "other": 3}, True, 3),
        ({"type": "Divide", "other": 2}, 6, 3.0),
        ({"type": "Divide", "other": 2}, 7, 3.5),
    ],
)
def test_numbers_are_changed_as_the_language_says(operation, value, expected):
    result = run(operation, value=value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("value", ["x", "", "nan", "inf", [1], {"a": 1}, None])
def test_what_is_no_whole_number_cannot_become_one(value):
    with pytest.raises(InvalidInputTypeError):
        run({"type": "ToNumber", "cast_to": "int"}, value=value)


@pytest.mark.parametrize("value", ["7", None, [1], {"a": 1}])
@pytest.mark.parametrize(
    "operation",
    [{"type": "NumberRound", "decimal_digits": 2}, {"type": "Multiply", "other": 3}, {"type": "Divide", "other": 3}],
)
def test_arithmetic_takes_numbers_only(operation, value):
    with pytest.raises(InvalidInputTypeError, match="takes a number"):
        run(operation, value=value)


def test_division_by_zero_says_what_was_divided():
    with pytest.raises(InvalidInputTypeError, match="6 cannot be divided by 0") as caught:
        run({"type": "Divide", "other": 0}, value=6)
    assert caught.value.inner_type == "ZeroDivisionError"


def test_rounding_to_a_billion_zeros_takes_no_time():
    assert run({"type": "NumberRound", "decimal_digits": -(10**9)}, value=7) == 0


def test_a_random_number_lies_between_its_limits():
    drawn = {run({"type": "RandomNumber", "min_value": 3, "max_value": 5}, value="ignored") for _ in range(50)}
    assert len(drawn) > 1
    assert all(3 <= number <= 5 for number in drawn)


def test_a_random_number_between_equal_limits_is_the_limit():
    assert run({"type": "RandomNumber", "min_value": 3, "max_value": 3}, value=None) == 3.0


def test_a_random_number_lies_between_0_and_1_by_default():
    assert 0 <= run({"type": "RandomNumber"}, value=None) <= 1


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "ToNumber", "cast_to": "complex"},
        {"type": "NumberRound", "decimal_digits": "x"},
        {"type": "RandomNumber", "max_value": float("inf")},
        {"type": "Multiply"},
    ],
)
def test_wrong_parameters_are_refused_with_the_document(operation):
    with pytest.raises(ValidationError):
        run(operation, value=1)
