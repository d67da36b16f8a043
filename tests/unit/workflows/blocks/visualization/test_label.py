from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.workflows.builders import detections, image
from workflows.blocks.visualization.label import BLOCKS, automatic_scale, run

BLACK = image(np.zeros((120, 200, 3), dtype=np.uint8))
BOX = [20, 60, 160, 110]
LOOK = {
    "color_palette": "CUSTOM",
    "palette_size": 10,
    "custom_colors": ["#ff0000"],
    "color_axis": "CLASS",
    "text": "Class",
    "text_position": "TOP_LEFT",
    "text_color": "WHITE",
    "text_scale": 0.8,
    "text_thickness": 3,
    "text_padding": 4,
    "border_radius": 0,
}
RED, WHITE = (0, 0, 255), (255, 255, 255)


def drawn(found, **look):
    return run(BLACK, found, **{**LOOK, **look})["image"].pixels


def has(pixels, colour):
    return bool((pixels == colour).all(axis=-1).any())


def test_a_label_is_coloured_and_stands_on_the_box():
    pixels = drawn(detections(BOX))
    assert has(pixels[:60], RED)
    assert has(pixels[:60], WHITE)
    assert not pixels[75:].any()  # descenders reach below the label


def test_the_position_moves_the_label():
    assert has(drawn(detections(BOX), text_position="BOTTOM_LEFT")[110:], RED)


def test_the_colour_of_the_text_is_as_given():
    assert has(drawn(detections(BOX), text_color="rgb(0, 255, 0)"), (0, 255, 0))


def test_longer_texts_make_wider_labels():
    def width(text):
        return int((drawn(detections(BOX), text=text) == RED).all(axis=-1).any(axis=0).sum())

    assert width("Index") < width("Class") < width("Class and Confidence")


def test_a_grey_image_stays_grey():
    grey = image(np.zeros((120, 200), dtype=np.uint8))
    pixels = run(grey, detections(BOX), **{**LOOK, "custom_colors": ["#0000c8"]})["image"].pixels
    assert pixels.shape == (120, 200)
    assert (pixels[:60] == 200).any()


def test_without_detections_the_picture_is_the_same():
    assert_array_equal(drawn(detections()), BLACK.pixels)


def test_the_given_image_is_never_drawn_on():
    drawn(detections(BOX))
    assert not BLACK.pixels.any()


@pytest.mark.parametrize(
    ("image_wh", "text_scale", "expected"),
    [
        ((1920, 1080), 0.7, 0.7),
        ((1080, 1920), 1.0, 1.0),
        ((3840, 2160), 1.0, 2.0),
        ((320, 240), 1.0, 0.3),
        ((20_000, 20_000), 1.0, 5.0),
    ],
)
def test_automatic_texts_keep_their_share_of_the_shorter_side(image_wh, text_scale, expected):
    assert automatic_scale(image_wh, text_scale) == pytest.approx(expected)


def test_the_second_version_draws_like_the_first_unless_told_otherwise():
    pixels = run(BLACK, detections(BOX), **LOOK, text_size_mode="Manual")["image"].pixels
    assert_array_equal(pixels, drawn(detections(BOX)))


def test_the_second_version_can_size_the_text_by_the_image():
    pixels = run(BLACK, detections(BOX), **LOOK, text_size_mode="Automatic")["image"].pixels
    assert_array_equal(pixels, drawn(detections(BOX), text_scale=0.3))


def test_both_versions_are_blocks():
    assert [block.type for block in BLOCKS] == [
        "roboflow_core/label_visualization@v1",
        "roboflow_core/label_visualization@v2",
    ]


@pytest.mark.parametrize(
    "look",
    [{"text_thickness": 10**9}, {"text_padding": 10**9}, {"text_scale": 1e300}, {"border_radius": 10**9}],
    ids=lambda look: next(iter(look)),
)
def test_sizes_without_end_are_drawn_at_once(look):
    began = time.perf_counter()
    assert drawn(detections(BOX), **look).any()
    assert time.perf_counter() - began < 2


def test_strokes_are_no_thicker_than_their_letters_can_show():
    assert_array_equal(drawn(detections(BOX), text_thickness=1000), drawn(detections(BOX), text_thickness=64))


@pytest.mark.parametrize("thickness", [0, -3])
def test_strokes_have_at_least_one_pixel(thickness):
    assert_array_equal(drawn(detections(BOX), text_thickness=thickness), drawn(detections(BOX), text_thickness=1))
