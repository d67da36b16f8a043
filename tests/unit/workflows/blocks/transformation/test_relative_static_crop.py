from __future__ import annotations

import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import image, numbered_pixels
from workflows.blocks.transformation.relative_static_crop import RelativeStaticCrop, run

PICTURE = image(numbered_pixels(200, 100))


def cut(x_center, y_center, width, height):
    return run(PICTURE, x_center, y_center, width, height)["crops"]


@pytest.mark.parametrize(
    ("window", "xyxy"),
    [
        ((0.5, 0.5, 1.0, 1.0), (0, 0, 200, 100)),
        ((0.4, 0.6, 0.3, 0.25), (50, 48, 110, 73)),  # 60 - 12.5 is rounded to the even neighbour
        ((0.95, 0.9, 0.2, 0.4), (170, 70, 200, 100)),
    ],
)
def test_a_share_of_the_image_is_cut(window, xyxy):
    left, top, right, bottom = xyxy
    crop = cut(*window)
    assert_array_equal(crop.pixels, PICTURE.pixels[top:bottom, left:right])
    assert (crop.placement.parent.left_px, crop.placement.parent.top_px) == (left, top)


@pytest.mark.parametrize("window", [(0.0, 0.5, 0.2, 0.2), (0.5, 0.0, 0.2, 0.2), (0.5, 0.5, 0.0, 0.5)])
def test_a_window_that_begins_outside_or_has_no_area_is_null(window):
    assert cut(*window) is None


def test_every_crop_has_a_name_of_its_own():
    first, second = cut(0.5, 0.5, 0.1, 0.1), cut(0.5, 0.5, 0.1, 0.1)
    assert first.id.startswith("relative_static_crop.")
    assert first.id != second.id
    assert first.video.video_identifier == first.id


def test_both_spellings_of_the_type_are_accepted():
    sides = {"x_center": 0.5, "y_center": 0.5, "width": 1, "height": 0}
    for name in ("roboflow_core/relative_statoic_crop@v1", "RelativeStaticCrop"):
        assert RelativeStaticCrop.model_validate({"type": name, "name": "c", "images": "$inputs.image", **sides})
