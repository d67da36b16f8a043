"""What conditions test: pairs of values, and single values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from workflows.geometry.points import strictly_inside
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.detection_properties import OneDetection
from workflows.query.operation import NUMBER_KINDS, QueryPart
from workflows.query.time_limit import check_time

BinaryName = Literal[
    "(Number) ==",
    "==",
    "(Number) !=",
    "!=",
    "(Number) >",
    "(Number) >=",
    "(Number) <",
    "(Number) <=",
    "(Number) in range",
    "(String) startsWith",
    "(String) endsWith",
    "(String) contains",
    "in (Sequence)",
    "any in (Sequence)",
    "all in (Sequence)",
    "(Detection) in zone",
]
UnaryName = Literal[
    "Exists",
    "DoesNotExist",
    "(Boolean) is True",
    "(Boolean) is False",
    "(Sequence) is empty",
    "(Sequence) is not empty",
]

UNCOMPARABLE = (TypeError, ValueError, AttributeError, IndexError, KeyError, OverflowError)
"""What Python raises when a test does not fit the values it is given."""


class BinaryComparator(QueryPart):
    """The test of a statement on two values."""

    type: BinaryName


class UnaryOperator(QueryPart):
    """The test of a statement on one value."""

    type: UnaryName


@dataclass(frozen=True, slots=True)
class Test:
    """One test.

    Attributes:
        holds: the test itself; it may raise any of UNCOMPARABLE.
        operands: kinds each operand may be of.
        description: what it tells, for the catalogue.
    """

    holds: Callable[..., Any]
    operands: tuple[tuple[Kind, ...], ...]
    description: str


def _within(value: Any, limits: Any) -> bool:
    return bool(limits[0] <= value <= limits[1])


def _starts_with(text: Any, start: Any) -> bool:
    return bool(text.startswith(start))


def _ends_with(text: Any, end: Any) -> bool:
    return bool(text.endswith(end))


def _any_in(values: Any, sequence: Any) -> bool:
    return any(value in sequence for value in _in_time(values))


def _all_in(values: Any, sequence: Any) -> bool:
    return all(value in sequence for value in _in_time(values))


def _in_time(values: Any) -> Iterator[Any]:
    """The values one by one, as long as there is time: each is looked for in a list that may be as long as this one."""
    for value in values:
        check_time()
        yield value


def _in_zone(place: Any, zone: Any) -> bool:
    if zone == []:
        return False
    return strictly_inside(place.value_of("center") if isinstance(place, OneDetection) else place, zone)


_SCALARS = (*NUMBER_KINDS, Kind.STRING, Kind.BOOLEAN, Kind.LIST_OF_VALUES)
_TWO_SCALARS = (_SCALARS, _SCALARS)
_TWO_NUMBERS = (NUMBER_KINDS, NUMBER_KINDS)
_TWO_STRINGS = ((Kind.STRING,), (Kind.STRING,))
_LIST = (Kind.LIST_OF_VALUES,)
_SIZED = ((*_LIST, Kind.DICTIONARY, *DETECTION_KINDS),)
_EQUAL = Test(operator.eq, _TWO_SCALARS, "Tells whether two values are equal.")
_UNEQUAL = Test(operator.ne, _TWO_SCALARS, "Tells whether two values differ.")

BINARY: dict[BinaryName, Test] = {
    "(Number) ==": _EQUAL,
    "==": _EQUAL,
    "(Number) !=": _UNEQUAL,
    "!=": _UNEQUAL,
    "(Number) >": Test(operator.gt, _TWO_NUMBERS, "Tells whether a number is above another."),
    "(Number) >=": Test(operator.ge, _TWO_NUMBERS, "Tells whether a number is at least another."),
    "(Number) <": Test(operator.lt, _TWO_NUMBERS, "Tells whether a number is below another."),
    "(Number) <=": Test(operator.le, _TWO_NUMBERS, "Tells whether a number is at most another."),
    "(Number) in range": Test(_within, (NUMBER_KINDS, _LIST), "Tells whether a number lies in [low, high]."),
    "(String) startsWith": Test(_starts_with, _TWO_STRINGS, "Tells whether a string starts with another."),
    "(String) endsWith": Test(_ends_with, _TWO_STRINGS, "Tells whether a string ends with another."),
    "(String) contains": Test(operator.contains, _TWO_STRINGS, "Tells whether a string contains another."),
    "in (Sequence)": Test(
        lambda value, sequence: value in sequence,
        ((Kind.STRING, *NUMBER_KINDS), (*_LIST, Kind.DICTIONARY)),
        "Tells whether a value is an element of a list or a key of a dictionary.",
    ),
    "any in (Sequence)": Test(_any_in, (_LIST, _LIST), "Tells whether a list has an element of another."),
    "all in (Sequence)": Test(_all_in, (_LIST, _LIST), "Tells whether another list has all elements of a list."),
    "(Detection) in zone": Test(
        _in_zone,
        ((Kind.DETECTION, Kind.POINT), (Kind.ZONE,)),
        "Tells whether a point, or the middle of a detection, lies inside a polygon, its border excluded.",
    ),
}
"""Test name -> test of a left and a right value."""

UNARY: dict[UnaryName, Test] = {
    "Exists": Test(lambda value: value is not None, ((Kind.ANY,),), "Tells whether there is a value."),
    "DoesNotExist": Test(lambda value: value is None, ((Kind.ANY,),), "Tells whether there is no value."),
    "(Boolean) is True": Test(lambda value: value is True, ((Kind.BOOLEAN,),), "Tells whether a value is true itself."),
    "(Boolean) is False": Test(
        lambda value: value is False, ((Kind.BOOLEAN,),), "Tells whether a value is false itself."
    ),
    "(Sequence) is empty": Test(lambda value: len(value) == 0, _SIZED, "Tells whether there are no elements."),
    "(Sequence) is not empty": Test(lambda value: len(value) > 0, _SIZED, "Tells whether there are elements."),
}
"""Test name -> test of one value."""
