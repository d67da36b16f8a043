import uuid

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import boxes, detections
from workflows.values.detections import KeyPoints, new_detection_ids

ROWS = ([0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3])
KEYPOINTS = KeyPoints(
    xy=np.arange(6.0).reshape(3, 1, 2),
    confidence=np.ones((3, 1)),
    class_id=np.zeros((3, 1), dtype=np.int64),
    class_name=np.array([["a"], ["b"], ["c"]]),
)


@pytest.mark.parametrize(
    ("index", "kept"),
    [
        (np.array([2, 0]), ["d-2", "d-0"]),
        (np.array([False, True, False]), ["d-1"]),
        (np.array([], dtype=np.int64), []),
    ],
)
def test_every_column_is_selected_in_the_order_of_the_index(index, kept):
    found = detections(*ROWS, keypoints=KEYPOINTS, tracker_id=np.array([7, 8, 9])).select(index)
    assert found.detection_id.tolist() == kept
    assert found.tracker_id.tolist() == [7 + int(name[2:]) for name in kept]
    assert found.keypoints.class_name.ravel().tolist() == ["abc"[int(name[2:])] for name in kept]
    assert_array_equal(found.xyxy, boxes(*(ROWS[int(name[2:])] for name in kept)))


def test_what_belongs_to_all_stays_when_none_are_selected():
    found = detections(*ROWS).select(np.zeros(3, dtype=np.bool_))
    assert len(found) == 0
    assert found.image_wh == (320, 240)
    assert found.placement == detections(*ROWS).placement


def test_replacing_a_column_makes_a_new_value():
    found = detections(*ROWS)
    other = found.replace(confidence=np.array([0.1, 0.2, 0.3]))
    assert other.confidence.tolist() == [0.1, 0.2, 0.3]
    assert found.confidence.tolist() == [0.5, 0.5, 0.5]


def test_boxes_have_four_corners():
    with pytest.raises(ValueError, match=r"xyxy must have shape \(n, 4\), got \(1, 3\)"):
        detections(xyxy=np.zeros((1, 3)))


def test_every_column_has_a_row_for_each_box():
    with pytest.raises(ValueError, match="tracker_id must have 3 rows as xyxy has, got 1"):
        detections(*ROWS, tracker_id=np.array([1]))


def test_new_identities_are_unique():
    assert new_detection_ids(0).tolist() == []
    assert len({uuid.UUID(name) for name in new_detection_ids(50).tolist()}) == 50
