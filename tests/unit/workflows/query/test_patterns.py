from __future__ import annotations

import contextlib
import math

import pytest

from workflows.compiler.compile import compile_definition
from workflows.errors import WorkflowSyntaxError
from workflows.query import patterns, strings
from workflows.query.patterns import LONGEST_TOGETHER, PatternRoom, compiled, unrolled_length


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


def take_all(several):
    room = PatternRoom()
    for pattern in several:
        room.take(pattern)


@pytest.mark.parametrize(
    "several", [["a" * 12_400, "b" * 12_400], ["x{20000}", "a" * 4_800], ["a" * 10_000] * 3, ["{" + "9" * 400 + "}"]]
)
def test_expressions_of_a_definition_that_are_not_too_long_together_are_accepted(several):
    take_all(several)


@pytest.mark.parametrize(
    "several", [["a" * 12_400, "b" * 12_401], ["x{20000}", "a" * 4_801], [f"{index:03}" for index in range(243)]]
)
def test_expressions_that_are_too_long_together_are_refused(several):
    with pytest.raises(ValueError, match=f"at most {LONGEST_TOGETHER} characters"):
        take_all(several)


def test_what_comes_after_expressions_that_are_too_long_is_not_even_measured(monkeypatch):
    measured = []
    monkeypatch.setattr(patterns, "unrolled_length", lambda pattern: measured.append(pattern) or 0.0)
    room = PatternRoom()
    for letter in "abcdefabcdef":
        with contextlib.suppress(ValueError):
            room.take(letter * 9_000)
    assert [pattern[0] for pattern in measured] == ["a", "b"]


def test_expressions_are_counted_over_all_steps_of_a_definition(monkeypatch):
    made = []
    monkeypatch.setattr(strings, "compiled", made.append)
    steps = [
        {
            "type": "PropertyDefinition",
            "name": f"s{letter}",
            "data": "$inputs.text",
            "operations": [{"type": "StringMatches", "regex": letter * 9_000}],
        }
        for letter in "abcdef"
    ]
    inputs = [{"type": "WorkflowBatchInput", "name": "text", "kind": ["string"]}]
    with pytest.raises(WorkflowSyntaxError, match=r"step 'sc'.* regular expressions of the definition are too long"):
        compile_definition({"version": "1.0", "inputs": inputs, "steps": steps, "outputs": []})
    assert [pattern[0] for pattern in made] == ["a", "b"]
