from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.outputs import OutputRoles, anchor_count, of_picture


@pytest.mark.parametrize(
    ("input_hw", "strides", "expected"),
    [
        ((640, 640), (8, 16, 32), 8400),  # 80² + 40² + 20²
        ((320, 640), (8, 16, 32), 4200),
        ((640, 640), (8, 16, 32, 64), 8500),
        ((40, 40), (8, 16, 32), 38),  # 5² + 3² + 2²: cells that reach beyond the border count
    ],
)
def test_anchors_are_the_cells_of_all_strides(
    input_hw: tuple[int, int], strides: tuple[int, ...], expected: int
) -> None:
    assert anchor_count(input_hw, strides) == expected


def test_a_picture_gets_its_part_of_each_output_in_the_order_of_the_roles() -> None:
    outputs = [np.arange(6).reshape(2, 3), np.zeros((2, 1)), np.array([[5.0], [7.0]], dtype=np.float16)]
    first, second = of_picture(outputs, OutputRoles(positions=(2, 0), class_count=None), 1)
    assert_array_equal(first, [7])
    assert_array_equal(second, [3, 4, 5])
    assert first.dtype == second.dtype == np.float32
