from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from deployments.models.image_preprocessing import ImagePreprocessing
from deployments.models.text_detection.canvas import fill_canvases, plan_canvas


@pytest.mark.parametrize(
    ("image_wh", "input_hw", "picture_wh"),
    [
        ((400, 90), (96, 416), (400, 90)),  # between the sides: as it is, rounded up to 32
        ((80, 60), (256, 320), (320, 240)),  # a small crop is enlarged to 320
        ((2000, 3000), (1024, 704), (683, 1024)),  # a page is shrunk to 1024: 2000 * 1024 / 3000 = 682.7
        ((1024, 1024), (1024, 1024), (1024, 1024)),
        ((20000, 10), (32, 1024), (1024, 1)),  # no side vanishes
        ((1, 1), (320, 320), (320, 320)),
    ],
)
def test_a_canvas_is_no_larger_than_its_picture_needs(
    image_wh: tuple[int, int], input_hw: tuple[int, int], picture_wh: tuple[int, int]
) -> None:
    canvas = plan_canvas(image_wh, page_side=1024, divisor=32)
    assert (canvas.input_hw, canvas.picture_wh) == (input_hw, picture_wh)


def test_scales_are_those_of_the_picture_as_it_was_rounded() -> None:
    canvas = plan_canvas((2000, 3000), page_side=1024, divisor=32)
    assert_allclose(canvas.scale_xy, (683 / 2000, 1024 / 3000))


def test_a_graph_of_one_size_gets_that_size() -> None:
    canvas = plan_canvas((400, 100), page_side=1024, divisor=32, fixed_hw=(512, 256))
    assert (canvas.input_hw, canvas.picture_wh) == ((512, 256), (256, 64))


def test_a_detector_for_small_pictures_gets_no_larger_ones() -> None:
    assert plan_canvas((80, 60), page_side=256, divisor=32).input_hw == (192, 256)


def test_the_picture_lies_at_the_top_left_and_padding_round_it() -> None:
    steps = ImagePreprocessing(padding_value=7, scaling_factor=None)
    pixels = np.full((30, 400, 3), [1, 2, 3], dtype=np.uint8)
    pixels.flags.writeable = False
    [planes] = fill_canvases([pixels], [plan_canvas((400, 30), page_side=1024, divisor=32)], steps)
    assert planes.shape == (3, 32, 416)
    assert planes[:, 29, 399].tolist() == [3, 2, 1]  # red first
    assert planes[:, 30, 0].tolist() == planes[:, 0, 400].tolist() == [7, 7, 7]
