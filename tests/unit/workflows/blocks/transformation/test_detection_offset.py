from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from tests.unit.workflows.builders import detections
from workflows.blocks.transformation.detection_offset import DetectionOffset, run

STEP = {"type": "DetectionOffset", "name": "o", "predictions": "$inputs.p"}


def grown(given, width, height, units="Pixels"):
    return run(given, width, height, units)["predictions"]


def test_each_side_moves_by_half_of_the_whole_amount():
    assert_array_equal(grown(detections([50, 40, 111, 80]), 20, 20).xyxy, [[40, 30, 121, 90]])


def test_odd_amounts_lose_their_half_pixel():
    assert_array_equal(grown(detections([50, 40, 60, 50]), 21, 1).xyxy, [[40, 40, 70, 50]])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0, 0, 20, 16], [0, 0, 30, 19]),
        ([300, 230, 320, 240], [290, 227, 320, 240]),
        ([0, 0, 320, 240], [0, 0, 320, 240]),
    ],
)
def test_boxes_end_at_the_border_of_their_image(box, expected):
    assert_array_equal(grown(detections(box), 21, 7).xyxy, [expected])


def test_percent_are_of_each_boxs_own_size():
    given = detections([100, 100, 140, 120], [10, 10, 21, 21])
    assert_array_equal(grown(given, 50, 10, "Percent (%)").xyxy, [[90, 99, 150, 121], [8, 10, 23, 21]])


def test_every_detection_gets_a_new_id_and_the_old_one_as_parent():
    given = detections([50, 40, 60, 50], [70, 40, 80, 50])
    found = grown(given, 2, 2)
    assert found.parent_id.tolist() == ["d-0", "d-1"]
    assert not {"d-0", "d-1"} & set(found.detection_id.tolist())
    assert len(set(found.detection_id.tolist())) == 2


def test_everything_else_stays():
    masks = np.zeros((1, 240, 320), dtype=np.bool_)
    given = detections([50, 40, 60, 50], masks=masks, tracker_id=np.array([7]))
    found = grown(given, 2, 2)
    for name in ("confidence", "class_id", "class_name", "masks", "tracker_id", "image_wh", "placement"):
        assert getattr(found, name) is getattr(given, name)


def test_nothing_stays_as_it_is():
    given = detections()
    assert grown(given, 2, 2) is given


def test_without_an_image_there_is_no_border():
    assert_array_equal(grown(detections([0, 0, 4, 4], image_wh=None), 4, 4).xyxy, [[-2, -2, 6, 6]])


def test_the_old_names_of_the_amounts_are_accepted():
    step = DetectionOffset.model_validate({**STEP, "offset_x": 3, "offset_y": 4})
    assert (step.offset_width, step.offset_height, step.units) == (3, 4, "Pixels")


@pytest.mark.parametrize(
    "amounts",
    [
        {"offset_width": 0, "offset_height": 1},
        {"offset_width": 1, "offset_height": -1},
        {"offset_width": 1},
        {"offset_width": "$steps.x", "offset_height": 1},
    ],
)
def test_amounts_must_be_positive_numbers_or_selectors(amounts):
    with pytest.raises(ValidationError):
        DetectionOffset.model_validate({**STEP, **amounts})
