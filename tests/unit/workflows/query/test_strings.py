"""Values in the tables: recorded from the server of `inference` 1.8.3, unless a name says that we differ."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import run
from workflows.errors import InvalidInputTypeError, OperationError


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ({"type": "StringToLowerCase"}, "AbC", "abc"),
        ({"type": "StringToLowerCase"}, "", ""),
        ({"type": "StringToUpperCase"}, "AbC", "ABC"),
        ({"type": "StringSubSequence"}, "abcdef", "abcde"),
        ({"type": "StringSubSequence"}, "", ""),
        ({"type": "StringSubSequence", "start": 1, "end": 3}, "abcdef", "bc"),
        ({"type": "StringSubSequence", "start": 1, "end": 3}, "a", ""),
        ({"type": "StringSubSequence", "start": -3, "end": 10}, "abcdef", "def"),
        ({"type": "StringMatches", "regex": "[0-9]{2}"}, "abc123", True),
        ({"type": "StringMatches", "regex": "[0-9]{2}"}, "xyz", False),
        ({"type": "StringMatches", "regex": "[0-9]{2}"}, "", False),
        ({"type": "ToString"}, "a", "a"),
        ({"type": "ToString"}, 5, "5"),
        ({"type": "ToString"}, 5.0, "5.0"),
        ({"type": "ToString"}, True, "True"),
        ({"type": "ToString"}, [1, "a", None], "[1, 'a', None]"),
        ({"type": "ToString"}, {"a": 1}, "{'a': 1}"),
        ({"type": "ToString"}, 1e20, "1e+20"),
    ],
)
def test_strings_are_changed_as_the_language_says(operation, value, expected):
    result = run(operation, value=value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "StringToLowerCase"},
        {"type": "StringToUpperCase"},
        {"type": "StringSubSequence"},
        {"type": "StringMatches", "regex": "a"},
    ],
)
@pytest.mark.parametrize("value", [5, ["a"], True, None, {"a": 1}])
def test_operations_on_strings_refuse_other_values(operation, value):
    with pytest.raises(InvalidInputTypeError, match="takes a string"):
        run(operation, value=value)


def test_a_broken_expression_is_refused_with_the_document():
    with pytest.raises(ValidationError, match="not a regular expression: missing \\)"):
        run({"type": "StringMatches", "regex": "(a"}, value="a")


def test_a_very_long_expression_is_refused_with_the_document():
    with pytest.raises(ValidationError, match="at most 10000 characters"):
        run({"type": "StringMatches", "regex": "a" * 10_001}, value="a")


def test_an_expression_that_never_ends_is_stopped():
    started_s = time.monotonic()
    with pytest.raises(OperationError, match=r"longer than 0\.1 s on a string of 61 characters"):
        run({"type": "StringMatches", "regex": "(a|aa)+$"}, value="a" * 60 + "b")
    assert time.monotonic() - started_s < 5


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05"),
        (
            datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=2))),
            "2024-01-02T03:04:05.678000+02:00",
        ),
    ],
)
def test_timestamps_are_written_as_iso_text(value, expected):
    assert run({"type": "TimestampToISOFormat"}, value=value) == expected


@pytest.mark.parametrize("value", ["2024-01-02T03:04:05", 5, None])
def test_only_timestamps_are_written_as_iso_text(value):
    with pytest.raises(InvalidInputTypeError, match="takes a timestamp"):
        run({"type": "TimestampToISOFormat"}, value=value)


def test_a_number_of_too_many_digits_has_no_string():
    with pytest.raises(OperationError, match="cannot be written as a string"):
        run({"type": "ToString"}, value=10**5000)
