from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.transformation.absolute_static_crop import run
from workflows.values.image import Image
from workflows.values.origin import Placement
from workflows.values.video import VideoMetadata

PICTURE = image(numbered_pixels(200, 100))


def cut(x_center, y_center, width, height, picture=PICTURE):
    return run(picture, x_center, y_center, width, height)["crops"]


@pytest.mark.parametrize(
    ("window", "xyxy"),
    [
        ((100, 50, 40, 20), (80, 40, 120, 60)),
        ((100, 50, 41, 21), (80, 40, 121, 61)),  # 79.5 and 39.5 are rounded to the even neighbour
        ((101, 51, 41, 21), (80, 40, 121, 61)),  # 80.5 and 40.5 too
        ((5, 96, 40, 30), (0, 81, 25, 100)),
        ((200, 100, 2, 2), (199, 99, 200, 100)),
        ((100, 50, 900, 900), (0, 0, 200, 100)),
    ],
)
def test_a_window_is_cut_and_ends_at_the_border(window, xyxy):
    left, top, right, bottom = xyxy
    crop = cut(*window)
    assert_array_equal(crop.pixels, PICTURE.pixels[top:bottom, left:right])
    assert (crop.placement.parent.left_px, crop.placement.parent.top_px) == (left, top)


def test_a_window_beside_the_image_is_null():
    assert cut(300, 50, 10, 10) is None


def test_every_crop_has_a_name_of_its_own():
    first, second = cut(100, 50, 4, 4), cut(100, 50, 4, 4)
    assert first.id.startswith("absolute_static_crop.")
    assert first.id != second.id


def test_the_crop_of_a_still_image_is_a_still_image():
    crop = cut(100, 50, 4, 4)
    assert crop.video.video_identifier == crop.id


def test_the_crop_of_a_frame_is_the_same_frame_of_a_video_of_its_own():
    video = VideoMetadata(video_identifier="cam", frame_number=7, frame_timestamp=datetime(2024, 8, 21))
    frame = Image.from_pixels(numbered_pixels(20, 10), Placement.of_upload("image", (20, 10)), video)
    crop = cut(10, 5, 4, 4, frame)
    assert crop.video == replace(video, video_identifier=f"cam | crop: {crop.id}")
