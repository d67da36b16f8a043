from __future__ import annotations

import pytest

from workflows.drawing.colours import NAMED, parse_colour


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ("#ff8800", (255, 136, 0)),
        ("#FF8800", (255, 136, 0)),
        ("#f80", (255, 136, 0)),
        ("#ff880040", (255, 136, 0)),
        ("#f804", (255, 136, 0)),
        ("rgb(255, 136, 0)", (255, 136, 0)),
        ("bgr(0,136,255)", (255, 136, 0)),
        ("(255, 136, 0)", (255, 136, 0)),
        ("white", (255, 255, 255)),
        (" BLACK ", (0, 0, 0)),
        ([255, 136, 0], (255, 136, 0)),
        ((0, 0, 255), (0, 0, 255)),
    ],
)
def test_a_colour_may_be_written_in_many_ways(colour, expected):
    assert parse_colour(colour) == expected


@pytest.mark.parametrize(
    "colour",
    [
        "",
        "#ff880",
        "#ff88000",
        "#gg8800",
        "rgb(256, 0, 0)",
        "rgb(1, 2)",
        "pinkish",
        [1, 2],
        [1, 2, 256],
        [1, 2, -1],
        [0.5, 0, 0],
    ],
)
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(ValueError, match="is no colour"):
        parse_colour(colour)


def test_named_colours_are_those_of_the_drawing_library():
    import supervision as sv

    assert {name: getattr(sv.Color, name).as_rgb() for name in NAMED} == NAMED
