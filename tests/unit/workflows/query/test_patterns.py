from __future__ import annotations

import math

import pytest

from workflows.query.patterns import compiled, unrolled_length


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("a{3}", 3),
        ("a{3,}", 3),
        ("ab{3,9}c", 5),
        ("a{0,500}", 1),
        ("(ab){10}", 30),  # a group counts for one more
        ("(?:(?:x{5}){5}){5}", 215),  # ?: counts for two: ((5 + 2 + 1) * 5 + 2 + 1) * 5
        (r"\(\{3\}", 4),
        ("[{3}()]{4}", 4),
        ("[]a]{4}", 4),
        (r"[\]]{4}", 4),
        ("a{3}b|c", 6),
    ],
)
def test_repetitions_are_written_out(pattern, length):
    assert unrolled_length(pattern) == length


def test_no_number_is_large_enough_for_some():
    assert unrolled_length("(" * 99 + "x" + "){65535}" * 99) == math.inf


@pytest.mark.parametrize("pattern", [r"^[A-Z]{1,3}[- ]?\d{2,4}$", "x{20000}", "(ab?){500}", "(?i)plate", ""])
def test_usual_expressions_are_accepted(pattern):
    assert compiled(pattern).search("") is not None or compiled(pattern).search("x") is None


@pytest.mark.parametrize("pattern", ["x{20001}", "(?:(?:(?:x{500}){500}){500})", "x{65535}" * 100])
def test_expressions_that_would_fill_the_memory_are_refused(pattern):
    with pytest.raises(ValueError, match="write \\+ or \\* instead"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "(?P<n>a)(?P<n>b)"])
def test_what_is_no_expression_is_refused(pattern):
    with pytest.raises(ValueError, match="not a regular expression"):
        compiled(pattern)
