from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from deployments.models.segmentation.prototypes import find_prototypes, mixed
from tests.unit.deployments.models.builders import outputs_of, tensor


def test_each_object_mixes_the_prototypes() -> None:
    prototypes = tensor([[[1, 2], [3, 4]], [[10, 0], [0, 10]]])
    found = mixed(tensor([[1, 0], [2, -1]]), prototypes)
    assert_array_equal(found, [[[1, 2], [3, 4]], [[-8, 4], [6, -2]]])


def test_no_objects_have_no_grids() -> None:
    assert mixed(np.zeros((0, 2), np.float32), np.zeros((2, 3, 4), np.float32)).shape == (0, 3, 4)


def test_prototypes_are_the_output_with_four_axes() -> None:
    assert find_prototypes(outputs_of(output0=[2, 39, 100], output1=[2, 32, 8, 8])) == (0, 1, 32)
    assert find_prototypes(outputs_of(protos=[2, 32, 8, 8], rows=[2, 39, 100])) == (1, 0, 32)
    assert find_prototypes(outputs_of(output0=[2, 39, 100])) is None
    assert find_prototypes([]) is None
