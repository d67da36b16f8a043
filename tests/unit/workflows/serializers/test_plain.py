from __future__ import annotations

from datetime import datetime

import pytest

from workflows.errors import RuntimeInputError
from workflows.serializers.plain import (
    mask_secret,
    read_boolean,
    read_bytes,
    read_colour,
    read_dictionary,
    read_float,
    read_fraction,
    read_integer,
    read_labeled_points,
    read_list,
    read_point,
    read_string,
    read_timestamp,
    read_zone,
)

TRIANGLE = [[0, 0], [4, 0], [4, 4]]


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (read_integer, 5, 5),
        (read_float, 5, 5.0),
        (read_float, 0.5, 0.5),
        (read_fraction, 0, 0.0),
        (read_fraction, 1.0, 1.0),
        (read_string, "", ""),
        (read_boolean, False, False),
        (read_dictionary, {}, {}),
        (read_list, [], []),
        (read_list, (1, "a"), [1, "a"]),
        (read_point, [1, 2.5], [1, 2.5]),
        (read_point, [1, 2, 3], [1, 2]),
        (read_labeled_points, [], []),
        (read_labeled_points, [{"x": 1, "y": 2, "label": "a"}], [{"x": 1, "y": 2, "positive": True}]),
        (read_labeled_points, [{"x": 1, "y": 2, "positive": False}], [{"x": 1, "y": 2, "positive": False}]),
        (
            read_labeled_points,
            [[1, 2.5], (3, 4, 0)],
            [{"x": 1, "y": 2.5, "positive": True}, {"x": 3, "y": 4, "positive": False}],
        ),
        (read_zone, TRIANGLE, TRIANGLE),
        (read_colour, "#ff8800", "#ff8800"),
        (read_colour, [255, 136, 0], [255, 136, 0]),
        (read_colour, [1, 2, 3, 4], [1, 2, 3]),
        (read_timestamp, "2024-08-21T11:13:44", datetime(2024, 8, 21, 11, 13, 44)),
        (read_timestamp, datetime(2024, 8, 21), datetime(2024, 8, 21)),
        (read_bytes, "AAEC", b"\x00\x01\x02"),
        (read_bytes, "", b""),
        (read_bytes, b"x", b"x"),
    ],
)
def test_right_values_are_read(read, value, expected):
    assert read(value, "n") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (read_integer, "5"),
        (read_integer, 5.0),
        (read_float, "0.5"),
        (read_fraction, 1.5),
        (read_fraction, -0.1),
        (read_fraction, float("nan")),
        (read_string, 5),
        (read_boolean, 1),
        (read_boolean, "true"),
        (read_dictionary, []),
        (read_list, "abc"),
        (read_list, {}),
        (read_point, [1]),
        (read_point, [[1, 2], [3, 4]]),
        (read_zone, TRIANGLE[:2]),
        (read_zone, []),
        (read_zone, [1, 2, 3]),
        (read_zone, [TRIANGLE]),
        (read_zone, [TRIANGLE, TRIANGLE, TRIANGLE]),
        (read_zone, [[0, 0], [4, 0], [4]]),
        (read_zone, [[0, 0], [4, 0], [4, "4"]]),
        (read_labeled_points, "x"),
        (read_labeled_points, [{"x": 1}]),
        (read_labeled_points, [[1]]),
        (read_labeled_points, [[1, 2, True, 4]]),
        (read_labeled_points, [{"x": 1, "y": "2"}]),
        (read_colour, [255, 136]),
        (read_colour, 7),
        (read_timestamp, "yesterday"),
        (read_timestamp, 0),
        (read_bytes, "A"),
        (read_bytes, "AA!A"),
        (read_bytes, 7),
    ],
)
def test_wrong_values_are_refused_by_name(read, value):
    with pytest.raises(RuntimeInputError, match=r"`n\.\[3\]`"):
        read(value, "n.[3]")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", "********"), ("1234567", "********"), ("12345678", "12********78"), ("ä" * 9, "ää********ää")],
)
def test_of_a_secret_only_the_ends_are_shown(secret, shown):
    assert mask_secret(secret) == shown
