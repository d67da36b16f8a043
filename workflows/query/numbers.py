"""Operations on numbers, and into them."""

from __future__ import annotations

import random
from typing import Any, ClassVar, Literal

from pydantic import Field

from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.operation import NUMBER_KINDS, Names, Operation, is_number, wrong_type, wrong_value
from workflows.values.wording import shown

FEWEST_DIGITS = -400
"""Rounding to more zeros than any number has digits; Python would compute the power of ten first."""


class ToNumber(Operation):
    """Reads a number out of a string, a boolean or another number; int drops the fraction."""

    takes: ClassVar = (Kind.STRING, Kind.BOOLEAN, *NUMBER_KINDS)
    gives: ClassVar = NUMBER_KINDS

    type: Literal["ToNumber"]
    cast_to: Literal["int", "float"]

    def apply(self, value: Any, names: Names) -> float:
        if not isinstance(value, str) and not is_number(value):
            raise wrong_type(value, "a string, a number or a boolean")
        try:
            number = float(value)
            return int(number) if self.cast_to == "int" else number
        except (ValueError, OverflowError) as error:
            raise wrong_value(f"{shown(value)} cannot be read as {self.cast_to}", error) from error


class ToBoolean(Operation):
    """Turns 0 (and whatever is empty) into false and everything else into true."""

    takes: ClassVar = (Kind.FLOAT, Kind.FLOAT_ZERO_TO_ONE, Kind.INTEGER)
    gives: ClassVar = (Kind.BOOLEAN,)

    type: Literal["ToBoolean"]

    def apply(self, value: Any, names: Names) -> bool:
        try:
            return bool(value)
        except ValueError as error:
            raise wrong_type(value, "a number") from error


class NumberRound(Operation):
    """Rounds a number, halves to the even neighbour."""

    takes: ClassVar = NUMBER_KINDS
    gives: ClassVar = NUMBER_KINDS

    type: Literal["NumberRound"]
    decimal_digits: int = Field(description="Digits to keep behind the point; negative ones round to tens, hundreds.")

    def apply(self, value: Any, names: Names) -> Any:
        return round(_number(value), max(self.decimal_digits, FEWEST_DIGITS))


class Multiply(Operation):
    """Multiplies a number by another."""

    takes: ClassVar = NUMBER_KINDS
    gives: ClassVar = NUMBER_KINDS

    type: Literal["Multiply"]
    other: int | float

    def apply(self, value: Any, names: Names) -> Any:
        number = _number(value)
        try:
            return number * self.other
        except OverflowError as error:
            raise wrong_value(f"{shown(value)} times {self.other} is too large", error) from error


class Divide(Operation):
    """Divides a number by another."""

    takes: ClassVar = NUMBER_KINDS
    gives: ClassVar = NUMBER_KINDS

    type: Literal["Divide"]
    other: int | float

    def apply(self, value: Any, names: Names) -> Any:
        number = _number(value)
        try:
            return number / self.other
        except (ZeroDivisionError, OverflowError) as error:
            raise wrong_value(f"{shown(value)} cannot be divided by {self.other}", error) from error


class RandomNumber(Operation):
    """Replaces any value by a random number, evenly spread between two limits."""

    takes: ClassVar = (*DETECTION_KINDS, Kind.ANY)
    gives: ClassVar = (Kind.FLOAT, Kind.FLOAT_ZERO_TO_ONE)

    type: Literal["RandomNumber"]
    min_value: float = Field(default=0.0, allow_inf_nan=False, description="Smallest number.")
    max_value: float = Field(default=1.0, allow_inf_nan=False, description="Largest number.")

    def apply(self, value: Any, names: Names) -> float:
        return random.uniform(self.min_value, self.max_value)  # noqa: S311 - samples frames, keeps no secret


def _number(value: Any) -> Any:
    if not is_number(value):
        raise wrong_type(value, "a number")
    return value
