"""Values in the tables: recorded from the server of `inference` 1.8.3, unless a name says that we differ."""

import numpy as np
import pytest

from tests.unit.workflows.query.chains import run
from tests.unit.workflows.query.values import detections
from workflows.errors import InvalidInputTypeError, OperationError

LOOKUP = {"type": "LookupTable", "lookup_table": {"a": "A", "1": "one"}}
MAP = {"type": "SequenceMap", "lookup_table": {"a": 1, "b": None}}


def aggregate(mode):
    return {"type": "SequenceAggregate", "mode": mode}


def numeric(function, **extra):
    return {"type": "NumericSequenceAggregate", "function": function} | extra


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        (LOOKUP, "a", "A"),
        (LOOKUP, "1", "one"),
        (MAP, ["a", "b"], [1, None]),
        (MAP, [], []),
        (MAP, "ab", [1, None]),
        (MAP, {"a": 7}, [1]),
        (numeric("min"), [3, 1.5, 2], 1.5),
        (numeric("max"), [3, 1.5, 2], 3),
        (numeric("sum"), [3, 1.5, 2], 6.5),
        (numeric("sum"), [True, 2], 3),
        (numeric("min"), ["b", "a"], "a"),
        (numeric("min"), [], None),
        (numeric("sum", neutral_value="none"), [], "none"),
        (numeric("sum", neutral_value="none"), [4], 4),
        (aggregate("first"), ["a", "b", "b", "c"], "a"),
        (aggregate("last"), ["a", "b", "b", "c"], "c"),
        (aggregate("most_common"), ["a", "b", "b", "c"], "b"),
        (aggregate("least_common"), ["a", "b", "b", "c"], "c"),
        (aggregate("first"), [[1], [1]], [1]),
        (aggregate("most_common"), {"a": 1, "b": 2}, "b"),
        (aggregate("least_common"), {"a": 1, "b": 2}, "a"),
        ({"type": "SequenceLength"}, [1, 2], 2),
        ({"type": "SequenceLength"}, [], 0),
        ({"type": "SequenceLength"}, {"a": 1}, 1),
        ({"type": "SequenceLength"}, "abc", 3),
        ({"type": "SequenceElementsCount"}, ["a", "b", "a"], {"a": 2, "b": 1}),
        ({"type": "SequenceElementsCount"}, [1, 1.0, True, 2], {"1": 1, "1.0": 1, "True": 1, "2": 1}),
        ({"type": "SequenceElementsCount"}, [None, [1]], {"None": 1, "[1]": 1}),
        ({"type": "SequenceElementsCount"}, [], {}),
        ({"type": "SequenceJoin"}, ["a", "b"], "a, b"),
        ({"type": "SequenceJoin"}, [1, None, True], "1, None, True"),
        ({"type": "SequenceJoin"}, [], ""),
        ({"type": "SequenceJoin", "separator": ""}, ["a", "b"], "ab"),
        ({"type": "ConvertDictionaryToJSON"}, {"b": 1, "a": [1, None, "é"]}, '{"b": 1, "a": [1, null, "\\u00e9"]}'),
        ({"type": "ConvertDictionaryToJSON"}, {}, "{}"),
    ],
)
def test_sequences_are_changed_as_the_language_says(operation, value, expected):
    assert run(operation, value=value) == expected


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        (LOOKUP, "q"),
        (LOOKUP, 1),
        (LOOKUP, ["a"]),
        (MAP, ["a", "q"]),
        (MAP, 5),
        (numeric("min"), [1, None]),
        (numeric("sum"), ["a"]),
        (numeric("sum"), 5),
        (aggregate("first"), []),
        (aggregate("first"), 5),
        (aggregate("most_common"), [[1], [1]]),
        ({"type": "SequenceLength"}, 5),
        ({"type": "SequenceLength"}, True),
        ({"type": "SequenceElementsCount"}, 5),
        ({"type": "SequenceJoin"}, 5),
        ({"type": "ConvertDictionaryToJSON"}, [1]),
        ({"type": "ConvertDictionaryToJSON"}, "x"),
    ],
)
def test_values_that_do_not_fit_are_refused(operation, value):
    with pytest.raises(InvalidInputTypeError):
        run(operation, value=value)


def test_a_missing_entry_names_the_value_its_type_and_the_entries():
    with pytest.raises(InvalidInputTypeError, match=r"no entry for 1 \(an integer\); it lists 'a', '1'"):
        run(LOOKUP, value=1)


def test_detections_have_a_length():
    assert run({"type": "SequenceLength"}, value=detections([0, 0, 1, 1], [2, 2, 3, 3])) == 2


def test_arrays_are_sequences():
    assert run({"type": "SequenceJoin"}, value=np.array([1, 2])) == "1, 2"


def test_the_longest_joined_string_is_a_million_characters():
    assert len(run({"type": "SequenceJoin", "separator": ""}, value=["a" * 1_000_000])) == 1_000_000
    with pytest.raises(OperationError, match="would have 1000001 characters, at most 1000000"):
        run({"type": "SequenceJoin", "separator": "-"}, value=["a" * 500_000, "b" * 500_000])


def test_a_dictionary_that_json_cannot_hold_is_an_operation_error():
    with pytest.raises(OperationError, match="cannot be written as JSON"):
        run({"type": "ConvertDictionaryToJSON"}, value={"a": b"bytes"})
