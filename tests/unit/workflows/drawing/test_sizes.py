from __future__ import annotations

import pytest

from workflows.drawing.sizes import at_most


@pytest.mark.parametrize(
    ("size", "expected"), [(9, 9), (10, 10), (11, 10), (10**30, 10), (0, 0), (-10, -10), (-11, -10)]
)
def test_sizes_end_at_the_largest_and_keep_their_sign(size, expected):
    assert at_most(size, 10) == expected


def test_an_infinite_size_ends_as_well():
    assert at_most(float("inf"), 2.5) == 2.5
