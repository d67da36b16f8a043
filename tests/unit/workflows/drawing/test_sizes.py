from __future__ import annotations

import pytest

from workflows.drawing.sizes import at_most, text_stroke_px


@pytest.mark.parametrize(
    ("size", "expected"), [(9, 9), (10, 10), (11, 10), (10**30, 10), (0, 0), (-10, -10), (-11, -10)]
)
def test_sizes_end_at_the_largest_and_keep_their_sign(size, expected):
    assert at_most(size, 10) == expected


def test_an_infinite_size_ends_as_well():
    assert at_most(float("inf"), 2.5) == 2.5


@pytest.mark.parametrize(
    ("thickness_px", "text_scale", "expected"),
    [
        (1, 1.0, 1),
        (64, 0.3, 64),
        (1000, 0.3, 64),
        (10**9, 1.0, 64),
        (100, 5.0, 100),
        (1000, 5.0, 110),
        (10**9, 100.0, 1000),
        (10**9, float("inf"), 1000),
        (0, 1.0, 1),
        (-3, 1.0, 1),
    ],
)
def test_strokes_of_letters_end_where_letters_of_their_size_are_blots(thickness_px, text_scale, expected):
    assert text_stroke_px(thickness_px, text_scale) == expected
