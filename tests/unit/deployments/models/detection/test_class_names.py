from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.class_names import answered_classes, class_name
from deployments.models.detection.raw_boxes import RawBoxes
from tests.unit.deployments.models.builders import package, tensor


def boxes_of(*class_id: int) -> RawBoxes:
    """A box for each class, with the class as its left side."""
    count = len(class_id)
    return RawBoxes(
        xyxy=np.stack([tensor(class_id), *np.ones((3, count), np.float32)], axis=1),
        confidence=np.ones(count, np.float32),
        class_id=np.array(class_id, dtype=np.int64),
        row=np.arange(count),
    )


def answered(boxes: RawBoxes, *, background: bool = False, **changes: object) -> tuple[list[int], list[int]]:
    found = answered_classes(boxes, package(**changes), unnamed_is_background=background)
    return found.xyxy[:, 0].astype(int).tolist(), found.class_id.tolist()


def test_without_operations_classes_stay_as_they_are() -> None:
    assert answered(boxes_of(0, 5)) == ([0, 5], [0, 5])


def test_removed_classes_are_gone_and_those_behind_move_up() -> None:
    names = ("plate", "car", "bus")  # of the network: nothing, plate, nothing, car, bus
    assert answered(boxes_of(0, 4, 1, 2, 3, 7), class_names=names, removed_class_ids=(0, 2)) == (
        [4, 1, 3, 7],
        [2, 0, 1, 5],
    )


def test_classes_beyond_the_names_are_background_where_the_family_says_so() -> None:
    names = ("plate", "car")
    assert answered(boxes_of(0, 1, 2), class_names=names, background=True) == ([0, 1], [0, 1])
    assert answered(boxes_of(0, 1, 2, 3), class_names=names, removed_class_ids=(0,), background=True) == (
        [1, 2],
        [0, 1],
    )


@pytest.mark.parametrize("removed", [(), (0,)])
def test_no_boxes_stay_no_boxes(removed: tuple[int, ...]) -> None:
    found = answered_classes(boxes_of(), package(removed_class_ids=removed), unnamed_is_background=True)
    assert (found.xyxy.shape, found.class_id.shape) == ((0, 4), (0,))


def test_a_class_without_a_name_is_called_by_its_number() -> None:
    assert_array_equal([class_name(package(), 0), class_name(package(), 3)], ["plate", "3"])
