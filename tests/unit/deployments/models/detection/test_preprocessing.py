from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection.preprocessing import boxes_on_image, fill_batch, plan_geometry, steps_for
from deployments.models.image_preprocessing import Contrast, ImagePreprocessing, Normalization, ResizeMode, StaticCrop
from tests.unit.deployments.models.detection.float64_decoding import letterboxed, stretched
from workflows.ports import PredictionOptions

STRETCH = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None)
LETTERBOX = ImagePreprocessing(resize_mode=ResizeMode.LETTERBOX, padding_value=127, scaling_factor=None)
FIT = ImagePreprocessing(resize_mode=ResizeMode.FIT_LONGER_EDGE, scaling_factor=None)
CENTER = ImagePreprocessing(resize_mode=ResizeMode.CENTER_CROP, padding_value=127, scaling_factor=None)


def picture(height: int, width: int, bgr: tuple[int, int, int] = (10, 20, 30)) -> NDArray[np.uint8]:
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    pixels[:] = bgr
    pixels.flags.writeable = False
    return pixels


def batch_of(image: NDArray[np.uint8], input_hw: tuple[int, int], steps: ImagePreprocessing) -> NDArray[np.float32]:
    geometry = plan_geometry((image.shape[1], image.shape[0]), input_hw, steps)
    return fill_batch([image], [geometry], [steps])


@pytest.mark.parametrize(
    ("image_wh", "resized_wh", "pad_left_top", "scale"),
    [
        ((1280, 720), (640, 360), (0, 140), 0.5),
        ((720, 1280), (360, 640), (140, 0), 0.5),
        ((640, 640), (640, 640), (0, 0), 1.0),
        ((320, 160), (640, 320), (0, 160), 2.0),
        ((1000, 331), (640, 211), (0, 214), 0.64),  # 211.84 is cut to 211, half of 429 to 214
        ((999, 1000), (639, 640), (0, 0), 0.64),  # 639.36 is cut to 639, half of 1 to 0: the column goes to the right
    ],
)
def test_a_letterbox_keeps_the_aspect_ratio_and_cuts_fractions(
    image_wh: tuple[int, int], resized_wh: tuple[int, int], pad_left_top: tuple[int, int], scale: float
) -> None:
    geometry = plan_geometry(image_wh, (640, 640), LETTERBOX)
    assert geometry.resized_wh == resized_wh
    assert (geometry.pad_left, geometry.pad_top) == pad_left_top
    assert (geometry.scale_x, geometry.scale_y) == (scale, scale)
    assert geometry.canvas_hw == (640, 640)


def test_a_letterbox_that_should_reflect_its_edges_is_a_plain_letterbox() -> None:
    reflecting = ImagePreprocessing(resize_mode=ResizeMode.LETTERBOX_REFLECT_EDGES, padding_value=127)
    assert plan_geometry((100, 33), (64, 64), reflecting) == plan_geometry((100, 33), (64, 64), LETTERBOX)


def test_a_picture_as_thin_as_a_hair_keeps_one_pixel() -> None:
    assert plan_geometry((2000, 1), (64, 64), LETTERBOX).resized_wh == (64, 1)
    assert batch_of(picture(1, 2000), (64, 64), LETTERBOX).shape == (1, 3, 64, 64)


def test_stretching_scales_each_axis_for_itself() -> None:
    geometry = plan_geometry((128, 32), (64, 64), STRETCH)
    assert (geometry.scale_x, geometry.scale_y, geometry.resized_wh) == (0.5, 2.0, (64, 64))


@pytest.mark.parametrize(("height", "fitted"), [(33, 21), (34, 22)])  # 21.12 and 21.76 are rounded
def test_fitting_the_longer_edge_rounds_and_makes_a_canvas_of_its_own(height: int, fitted: int) -> None:
    geometry = plan_geometry((100, height), (64, 64), FIT)
    assert (geometry.resized_wh, geometry.canvas_hw) == ((64, fitted), (fitted, 64))
    assert (geometry.scale_x, geometry.scale_y) == (0.64, fitted / height)
    assert (geometry.pad_left, geometry.pad_top) == (0, 0)


@pytest.mark.parametrize(
    ("image_wh", "pad_left_top"),
    [((100, 40), (-18, 12)), ((101, 41), (-18, 11)), ((64, 64), (0, 0)), ((65, 63), (0, 0))],
)
def test_a_center_crop_does_not_scale(image_wh: tuple[int, int], pad_left_top: tuple[int, int]) -> None:
    geometry = plan_geometry(image_wh, (64, 64), CENTER)
    assert (geometry.pad_left, geometry.pad_top) == pad_left_top
    assert (geometry.scale_x, geometry.scale_y) == (1.0, 1.0)


def test_a_static_crop_cuts_fractions_of_its_corners() -> None:
    crop = StaticCrop(x_min=10, y_min=25, x_max=90, y_max=100)
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, static_crop=crop)
    geometry = plan_geometry((101, 50), (64, 64), steps)
    assert geometry.crop_ltwh == (10, 12, 80, 38)  # 10.1 to 90.9 and 12.5 to 50
    assert geometry.scale_x == 64 / 80


def test_a_letterboxed_picture_is_surrounded_by_its_fill_value() -> None:
    batch = batch_of(picture(2, 4), (4, 4), LETTERBOX)
    red = np.array([[127] * 4, [30] * 4, [30] * 4, [127] * 4], dtype=np.float32)
    assert_array_equal(batch[0, 0], red)
    assert batch.dtype == np.float32


def test_a_tall_letterbox_fills_left_and_right() -> None:
    assert_array_equal(batch_of(picture(4, 2), (4, 4), LETTERBOX)[0, 2, 0], [127, 10, 10, 127])


def test_channels_follow_the_color_mode() -> None:
    rgb = batch_of(picture(2, 2), (2, 2), STRETCH)
    bgr = batch_of(
        picture(2, 2), (2, 2), ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None, color_mode="bgr")
    )
    assert_array_equal(rgb[0, :, 0, 0], [30, 20, 10])
    assert_array_equal(bgr[0, :, 0, 0], [10, 20, 30])


def test_values_are_scaled_and_then_normalized_the_fill_value_too() -> None:
    normalization = Normalization(mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
    steps = ImagePreprocessing(
        resize_mode=ResizeMode.LETTERBOX, padding_value=255, scaling_factor=255.0, normalization=normalization
    )
    batch = batch_of(picture(1, 2, (51, 0, 255)), (2, 2), steps)
    assert_allclose(batch[0, :, 0, 0], [1.0, -1.0, 0.2], rtol=1e-6)  # the picture: pad of 0.5 above is cut to 0
    assert_allclose(batch[0, :, 1, 0], [1.0, 3.0, 1.0], rtol=1e-6)


def test_scaling_divides_exactly() -> None:
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert_array_equal(batch_of(ramp, (1, 256), steps)[0, 0, 0], np.arange(256, dtype=np.float32) / np.float32(255))


def test_stretching_interpolates_linearly() -> None:
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None)
    pixels = np.repeat(np.array([[[0], [100]]], dtype=np.uint8), 3, axis=2)
    assert_array_equal(batch_of(pixels, (1, 4), steps)[0, 0, 0], [0, 25, 75, 100])


def test_a_center_crop_shows_the_middle_on_zeros() -> None:
    row = np.arange(6, dtype=np.uint8) + 1
    pixels = np.repeat(row[None, :, None], 3, axis=2)
    batch = batch_of(pixels, (3, 4), CENTER)
    assert_array_equal(batch[0, 0], [[0, 0, 0, 0], [2, 3, 4, 5], [0, 0, 0, 0]])


def test_grey_pictures_have_three_equal_channels() -> None:
    grey = np.full((2, 2), 77, dtype=np.uint8)
    assert_array_equal(batch_of(grey, (2, 2), STRETCH)[0, :, 0, 0], [77, 77, 77])


def test_grayscale_makes_the_three_channels_equal() -> None:
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None, grayscale=True)
    # 0.299 of red, 0.587 of green and 0.114 of blue
    assert_array_equal(batch_of(picture(1, 1, (0, 0, 100)), (1, 1), steps)[0, :, 0, 0], [30, 30, 30])


def test_contrast_is_raised_before_the_picture_is_resized() -> None:
    steps = ImagePreprocessing(
        resize_mode=ResizeMode.STRETCH, scaling_factor=None, contrast=Contrast.CONTRAST_STRETCHING
    )
    pixels = np.repeat(np.array([[[100], [150]]], dtype=np.uint8), 3, axis=2)
    assert_array_equal(batch_of(pixels, (1, 2), steps)[0, 0, 0], [0, 255])


def test_only_the_static_crop_reaches_the_network() -> None:
    crop = StaticCrop(x_min=50, y_min=0, x_max=100, y_max=100)
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, scaling_factor=None, static_crop=crop)
    pixels = np.zeros((2, 4, 3), dtype=np.uint8)
    pixels[:, 2:] = 200
    assert_array_equal(batch_of(pixels, (2, 2), steps)[0, 0], [[200, 200], [200, 200]])


def test_pictures_of_different_sizes_share_a_batch() -> None:
    images = [picture(4, 4), picture(2, 8)]
    geometries = [plan_geometry((image.shape[1], image.shape[0]), (4, 4), LETTERBOX) for image in images]
    batch = fill_batch(images, geometries, [LETTERBOX, LETTERBOX])
    assert_array_equal(batch[0, 0], np.full((4, 4), 30))
    assert_array_equal(batch[1, 0], [[127] * 4, [30] * 4, [127] * 4, [127] * 4])  # 1 row, pad of 1.5 cut to 1


@pytest.mark.parametrize(
    ("image_wh", "steps", "canvas_box", "expected"),
    [
        ((1280, 720), LETTERBOX, [0, 14, 32, 16], [0, 0, 640, 40]),  # 36 rows below 14 of padding, scale 0.05
        ((128, 32), STRETCH, [16, 16, 32, 32], [32, 8, 64, 16]),
        ((100, 40), CENTER, [0, 12, 10, 20], [18, 0, 28, 8]),
        ((100, 33), FIT, [0, 0, 64, 21], [0, 0, 100, 33]),
    ],
)
def test_boxes_find_their_way_back(
    image_wh: tuple[int, int], steps: ImagePreprocessing, canvas_box: list[float], expected: list[float]
) -> None:
    geometry = plan_geometry(image_wh, (64, 64), steps)
    assert_array_equal(boxes_on_image(np.array([canvas_box], dtype=np.float32), geometry), [expected])


def test_the_offset_of_a_static_crop_is_added() -> None:
    crop = StaticCrop(x_min=25, y_min=50, x_max=100, y_max=100)
    geometry = plan_geometry(
        (200, 100), (50, 150), ImagePreprocessing(resize_mode=ResizeMode.STRETCH, static_crop=crop)
    )
    assert_array_equal(boxes_on_image(np.array([[0, 0, 10, 20]], dtype=np.float32), geometry), [[50, 50, 60, 70]])


@pytest.mark.parametrize(("canvas", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4), (9, 4), (4, 2)])
def test_halves_round_to_the_even_neighbour(canvas: float, expected: float) -> None:
    geometry = plan_geometry((32, 32), (64, 64), STRETCH)  # two columns of the canvas for one of the picture
    boxes = boxes_on_image(np.array([[canvas, 0, 60, 60]], dtype=np.float32), geometry)
    assert boxes[0, 0] == expected


def test_boxes_end_at_the_border_of_the_picture_not_of_its_crop() -> None:
    crop = StaticCrop(x_min=25, y_min=25, x_max=75, y_max=75)
    geometry = plan_geometry((80, 40), (20, 40), ImagePreprocessing(resize_mode=ResizeMode.STRETCH, static_crop=crop))
    boxes = boxes_on_image(np.array([[-100, -100, 100, 100], [-5, -5, 45, 25]], dtype=np.float32), geometry)
    assert_array_equal(boxes, [[0, 0, 80, 40], [15, 5, 65, 35]])


def test_no_boxes_stay_no_boxes() -> None:
    boxes = boxes_on_image(np.zeros((0, 4), dtype=np.float32), plan_geometry((10, 10), (64, 64), LETTERBOX))
    assert boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("flag", "field", "off"),
    [
        ("disable_static_crop", "static_crop", None),
        ("disable_grayscale", "grayscale", False),
        ("disable_contrast", "contrast", None),
    ],
)
def test_a_request_can_leave_out_single_steps(flag: str, field: str, off: Any) -> None:
    full = ImagePreprocessing(
        static_crop=StaticCrop(x_min=0, y_min=0, x_max=50, y_max=50),
        grayscale=True,
        contrast=Contrast.CONTRAST_STRETCHING,
    )
    changed = steps_for(full, PredictionOptions(**{flag: True}))
    for name in ("static_crop", "grayscale", "contrast"):
        assert getattr(changed, name) == (off if name == field else getattr(full, name))


@pytest.mark.parametrize("image_wh", [(50, 37), (33, 64), (96, 20), (97, 131)])
def test_letterboxes_of_any_size_show_what_a_second_implementation_shows(image_wh: tuple[int, int]) -> None:
    width, height = image_wh
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    steps = replace(LETTERBOX, scaling_factor=255.0)
    canvas, scale, left, top = letterboxed(pixels, 64, 127)
    geometry = plan_geometry(image_wh, (64, 64), steps)
    assert (geometry.scale_x, geometry.pad_left, geometry.pad_top) == (scale, left, top)
    assert_allclose(batch_of(pixels, (64, 64), steps)[0], canvas, atol=1.01 / 255)  # rounded in another way


@pytest.mark.parametrize("image_wh", [(50, 37), (131, 20)])
def test_stretched_pictures_show_what_a_second_implementation_shows(image_wh: tuple[int, int]) -> None:
    width, height = image_wh
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    batch = batch_of(pixels, (64, 64), replace(STRETCH, scaling_factor=255.0))
    assert_allclose(batch[0], stretched(pixels, 64), atol=1.01 / 255)


def test_the_steps_follow_one_another_in_their_order() -> None:
    # cut to the right half, made grey, its contrast stretched, then resized: (200 + 100) / 2 would be grey otherwise
    steps = replace(
        STRETCH,
        static_crop=StaticCrop(x_min=50, y_min=0, x_max=100, y_max=100),
        grayscale=True,
        contrast=Contrast.CONTRAST_STRETCHING,
    )
    pixels = np.zeros((1, 4, 3), dtype=np.uint8)
    pixels[0, 2], pixels[0, 3] = (100, 100, 100), (200, 200, 200)
    assert_array_equal(batch_of(pixels, (1, 2), steps)[0], [[[0, 255]]] * 3)
