from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, image
from workflows.blocks.visualization.bounding_box import run

BLACK = image(np.zeros((60, 80, 3), dtype=np.uint8))
BOX = [20, 10, 60, 50]
LOOK = {
    "color_palette": "CUSTOM",
    "palette_size": 10,
    "custom_colors": ["#ff0000", "#00ff00"],
    "color_axis": "CLASS",
    "thickness": 2,
    "roundness": 0.0,
}
RED, GREEN = (0, 0, 255), (0, 255, 0)  # BGR


def drawn(found, picture=BLACK, **look):
    return run(picture, found, **{**LOOK, **look})["image"]


def test_a_frame_is_drawn_around_the_box():
    pixels = drawn(detections(BOX)).pixels
    for x, y in ((20, 30), (60, 30), (40, 10), (40, 50)):
        assert tuple(pixels[y, x]) == RED
    assert not pixels[14:46, 24:56].any()
    assert not pixels[:6].any()


def test_round_corners_leave_the_corner_empty():
    assert tuple(drawn(detections(BOX)).pixels[10, 20]) == RED
    assert not drawn(detections(BOX), roundness=1.0).pixels[9:12, 19:22].any()


@pytest.mark.parametrize(
    ("axis", "columns", "expected"),
    [
        ("CLASS", {"class_id": np.array([1, 0])}, (GREEN, RED)),
        ("INDEX", {"class_id": np.array([1, 0])}, (RED, GREEN)),
        ("TRACK", {"tracker_id": np.array([3, 2])}, (GREEN, RED)),
    ],
)
def test_class_position_or_track_decides_the_colour(axis, columns, expected):
    pixels = drawn(detections([4, 4, 20, 20], [40, 30, 70, 50], **columns), color_axis=axis).pixels
    assert (tuple(pixels[12, 4]), tuple(pixels[40, 40])) == expected


def test_tracks_that_are_not_there_cannot_decide():
    with pytest.raises(ValueError, match="tracker_id"):
        drawn(detections(BOX), color_axis="TRACK")


def test_without_detections_the_picture_is_the_same():
    assert_array_equal(drawn(detections()).pixels, BLACK.pixels)


def test_the_given_image_is_never_drawn_on():
    drawn(detections(BOX))
    assert not BLACK.pixels.any()


def test_the_image_keeps_its_identity():
    assert drawn(detections(BOX)).placement is BLACK.placement


@pytest.mark.parametrize("roundness", [0.0, 0.5])
def test_a_grey_image_stays_grey_and_takes_the_blue_of_the_colour(roundness):
    grey = image(np.zeros((60, 80), dtype=np.uint8))
    pixels = drawn(detections(BOX), grey, custom_colors=["#0000c8"], roundness=roundness).pixels
    assert pixels.shape == (60, 80)
    assert pixels[30, 20] == 200
