from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from deployments.models.detection.thresholds import lowest, of_classes
from tests.unit.deployments.models.builders import tensor

BY_CLASS = tensor([0.5, 0.2, 0.9])


def test_one_number_is_the_threshold_of_every_class() -> None:
    assert of_classes(0.4, np.array([0, 7])) == 0.4
    assert lowest(0.4) == 0.4


def test_each_class_has_its_own_and_classes_beyond_share_the_last() -> None:
    assert_array_equal(of_classes(BY_CLASS, np.array([1, 0, 2, 80])), tensor([0.2, 0.5, 0.9, 0.9]))
    assert lowest(BY_CLASS) == np.float32(0.2)


def test_no_classes_have_no_thresholds() -> None:
    assert np.shape(of_classes(BY_CLASS, np.zeros(0, dtype=np.int64))) == (0,)
