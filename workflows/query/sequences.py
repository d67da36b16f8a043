"""Operations on lists and dictionaries."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from workflows.errors import InvalidInputTypeError, OperationError
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.detection_properties import one_by_one
from workflows.query.operation import (
    NUMBER_KINDS,
    Names,
    Operation,
    expect,
    operation_failed,
    wrong_type,
    wrong_value,
)
from workflows.values.detections import Detections
from workflows.values.wording import shown, type_in_words

JOINED_LIMIT_CHARACTERS = 1_000_000


class LookupTable(Operation):
    """Replaces a value by what a table lists for it."""

    takes: ClassVar = (Kind.ANY,)
    gives: ClassVar = (Kind.ANY,)

    type: Literal["LookupTable"]
    lookup_table: dict[Any, Any]

    def apply(self, value: Any, names: Names) -> Any:
        return looked_up(value, self.lookup_table)


class SequenceMap(Operation):
    """Replaces each element of a list by what a table lists for it."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = (Kind.LIST_OF_VALUES,)
    nested_takes: ClassVar = (Kind.ANY,)
    nested_gives: ClassVar = (Kind.ANY,)

    type: Literal["SequenceMap"]
    lookup_table: dict[Any, Any]

    def apply(self, value: Any, names: Names) -> list[Any]:
        return [looked_up(element, self.lookup_table) for element in elements(value)]


class NumericSequenceAggregate(Operation):
    """Reduces a list of numbers to the smallest, the largest or the sum."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = NUMBER_KINDS

    type: Literal["NumericSequenceAggregate"]
    function: Literal["min", "max", "sum"]
    neutral_value: Any = Field(default=None, description="The answer for an empty list.")

    def apply(self, value: Any, names: Names) -> Any:
        numbers = elements(value)
        if not numbers:
            return self.neutral_value
        try:
            if self.function == "sum":
                return sum(numbers)
            return min(numbers) if self.function == "min" else max(numbers)
        except TypeError as error:
            raise wrong_value(f"takes a list of numbers, got {shown(numbers)}", error) from error


class SequenceAggregate(Operation):
    """Picks one element of a list by its place or by how often it occurs; a dictionary says how often its keys do."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = (Kind.ANY,)

    type: Literal["SequenceAggregate"]
    mode: Literal["first", "last", "most_common", "least_common"]

    def apply(self, value: Any, names: Names) -> Any:
        sequence = elements(value)
        if not sequence:
            raise InvalidInputTypeError("takes a list with at least one element, got an empty one")
        if self.mode == "first":
            return sequence[0]
        if self.mode == "last":
            return sequence[-1]
        try:
            by_frequency = Counter(value if isinstance(value, dict) else sequence).most_common()
        except TypeError as error:
            raise wrong_value("takes elements that can be counted: strings, numbers, booleans", error) from error
        return by_frequency[0 if self.mode == "most_common" else -1][0]


class SequenceLength(Operation):
    """Counts the elements of a list or dictionary, or detections."""

    takes: ClassVar = (*DETECTION_KINDS, Kind.LIST_OF_VALUES, Kind.DICTIONARY)
    gives: ClassVar = (Kind.INTEGER,)

    type: Literal["SequenceLength"]

    def apply(self, value: Any, names: Names) -> int:
        try:
            return len(value)
        except TypeError as error:
            raise wrong_type(value, "a list, a dictionary or detections") from error


class SequenceElementsCount(Operation):
    """Counts how often each element occurs in a list; the keys of the answer are strings."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = (Kind.DICTIONARY,)

    type: Literal["SequenceElementsCount"]

    def apply(self, value: Any, names: Names) -> dict[str, int]:
        return dict(Counter(str(element) for element in elements(value)))


class SequenceJoin(Operation):
    """Joins the elements of a list into one string."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["SequenceJoin"]
    separator: str = Field(default=", ", description="Text between two elements.")

    def apply(self, value: Any, names: Names) -> str:
        parts = [str(element) for element in elements(value)]
        characters = sum(map(len, parts)) + len(self.separator) * max(len(parts) - 1, 0)
        if characters > JOINED_LIMIT_CHARACTERS:
            raise OperationError(
                f"the joined string would have {characters} characters, at most {JOINED_LIMIT_CHARACTERS} are allowed"
            )
        return self.separator.join(parts)


class ConvertDictionaryToJSON(Operation):
    """Writes a dictionary as JSON text."""

    takes: ClassVar = (Kind.DICTIONARY,)
    gives: ClassVar = (Kind.STRING,)

    type: Literal["ConvertDictionaryToJSON"]

    def apply(self, value: Any, names: Names) -> str:
        try:
            return json.dumps(expect(value, dict, "a dictionary"))
        except (TypeError, ValueError, RecursionError) as error:
            raise operation_failed(f"the dictionary cannot be written as JSON: {error}", error) from error


def elements(value: Any) -> list[Any]:
    """The elements to work on one by one: of a list, the keys of a dictionary, the characters of a string, detections.

    Raises:
        InvalidInputTypeError: the value has no elements.
    """
    if isinstance(value, Detections):
        return list(one_by_one(value))
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset, str, dict)):
        return list(value)
    raise wrong_type(value, "a list")


def looked_up(value: Any, table: dict[Any, Any]) -> Any:
    """What `table` lists for `value`.

    Raises:
        InvalidInputTypeError: nothing, or the value cannot be a key.
    """
    try:
        return table[value]
    except TypeError as error:
        raise wrong_value(f"{type_in_words(value)} cannot be looked up in a table", error) from error
    except KeyError as error:
        listed = ", ".join(repr(key) for key in list(table)[:10]) or "nothing"
        message = f"the lookup table has no entry for {shown(value)} ({type_in_words(value)}); it lists {listed}"
        raise wrong_value(message, error) from error
