"""Operations on strings, and into them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from workflows.errors import OperationError
from workflows.kinds import Kind
from workflows.query.operation import Names, Operation, expect, operation_failed
from workflows.query.patterns import PATTERN_ROOM, compiled

SEARCH_LIMIT_S = 0.1
"""Longest search for a regular expression. Expressions come from clients, and a backtracking search can take for ever:
the standard library cannot stop one, so the search is done by a library that can."""
PATTERN_LIMIT_CHARACTERS = 10_000


class StringToLowerCase(Operation):
    """Writes a string in lower case."""

    takes: ClassVar = (Kind.STRING,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["StringToLowerCase"]

    def apply(self, value: Any, names: Names) -> str:
        return expect(value, str, "a string").lower()


class StringToUpperCase(Operation):
    """Writes a string in upper case."""

    takes: ClassVar = (Kind.STRING,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["StringToUpperCase"]

    def apply(self, value: Any, names: Names) -> str:
        return expect(value, str, "a string").upper()


class StringSubSequence(Operation):
    """Cuts a part out of a string."""

    takes: ClassVar = (Kind.STRING,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["StringSubSequence"]
    start: int = Field(default=0, description="Position of the first character, from the end when negative.")
    end: int = Field(default=-1, description="Position behind the last character, from the end when negative.")

    def apply(self, value: Any, names: Names) -> str:
        return expect(value, str, "a string")[self.start : self.end]


class StringMatches(Operation):
    """Tells whether a regular expression is found anywhere in a string."""

    takes: ClassVar = (Kind.STRING,)
    gives: ClassVar = (Kind.BOOLEAN,)

    type: Literal["StringMatches"]
    regex: str = Field(max_length=PATTERN_LIMIT_CHARACTERS, description="The regular expression, as Python writes it.")

    @field_validator("regex")
    @classmethod
    def _is_an_expression(cls, pattern: str, info: ValidationInfo) -> str:
        if info.context and PATTERN_ROOM in info.context:
            info.context[PATTERN_ROOM].take(pattern)
        compiled(pattern)
        return pattern

    def apply(self, value: Any, names: Names) -> bool:
        text = expect(value, str, "a string")
        try:
            return compiled(self.regex).search(text, timeout=SEARCH_LIMIT_S) is not None
        except TimeoutError as error:
            raise OperationError(
                f"the search took longer than {SEARCH_LIMIT_S} s on a string of {len(text)} characters; "
                "write the expression without repetitions inside repetitions"
            ) from error


class ToString(Operation):
    """Writes any value as a string."""

    takes: ClassVar = (Kind.ANY,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["ToString"]

    def apply(self, value: Any, names: Names) -> str:
        try:
            return str(value)
        except ValueError as error:  # a whole number of more digits than Python writes
            raise operation_failed(f"the value cannot be written as a string: {error}", error) from error


class TimestampToISOFormat(Operation):
    """Writes a timestamp as ISO 8601 text."""

    takes: ClassVar = (Kind.TIMESTAMP,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["TimestampToISOFormat"]

    def apply(self, value: Any, names: Names) -> str:
        return expect(value, datetime, "a timestamp").isoformat()
