from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.detection.preprocessing import plan_geometry
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode, StaticCrop
from deployments.models.segmentation.mask_grid import MaskGrid
from tests.unit.deployments.models.builders import tensor
from workflows.ports import PredictionOptions
from workflows.values.masks import Masks

STRETCH = ImagePreprocessing(resize_mode=ResizeMode.STRETCH)
LETTERBOX = ImagePreprocessing(resize_mode=ResizeMode.LETTERBOX)


def masks_of(
    grid: NDArray[np.float32],
    image_wh: tuple[int, int],
    box: tuple[float, ...] | None = None,
    steps: ImagePreprocessing = STRETCH,
    canvas: int = 16,
    level: float = 0.5,
    **options: object,
) -> NDArray[np.bool_]:
    geometry = plan_geometry(image_wh, (canvas, canvas), steps)
    laid = MaskGrid.of(geometry, grid.shape, PredictionOptions(**options))  # type: ignore[arg-type]
    found: Masks = laid.masks(grid[None], level, None if box is None else tensor([box]))
    assert found.image_wh == image_wh
    return found.array(0)


def rectangle(wh: tuple[int, int], left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros((wh[1], wh[0]), dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_a_grid_as_large_as_the_picture_is_cut_at_the_level() -> None:
    grid = tensor([[0.5, 0.6], [0.4, 0.9]])
    assert_array_equal(masks_of(grid, (2, 2)), [[False, True], [False, True]])


def test_between_cells_values_change_linearly() -> None:
    # cells 0 and 1 over 8 pixels: 1 from the third quarter on; between them a quarter a pixel: 1/8, 3/8, 5/8, 7/8
    grid = tensor([[0, 1], [0, 1]])
    assert_array_equal(masks_of(grid, (8, 2)), [[False] * 4 + [True] * 4] * 2)
    assert_array_equal(masks_of(grid, (8, 2), level=0.7), [[False] * 5 + [True] * 3] * 2)


def test_nothing_outside_the_box_belongs() -> None:
    # the box covers cells 1 and 2 of four in both directions; outside them all is 0, and pixels between take means
    grid = tensor(np.ones((4, 4)))
    assert_array_equal(masks_of(grid, (4, 4), (4, 4, 12, 12)), rectangle((4, 4), 1, 1, 3, 3))
    assert_array_equal(masks_of(grid, (8, 8), (4, 4, 12, 12), level=0.3), rectangle((8, 8), 2, 2, 6, 6))


@pytest.mark.parametrize(("side", "cells"), [(5.9, 1), (6.0, 2), (10.0, 2), (10.1, 3)])
def test_sides_of_boxes_are_rounded_to_cells_halves_to_the_even_one(side: float, cells: int) -> None:
    grid = tensor(np.ones((4, 4)))
    assert_array_equal(masks_of(grid, (4, 4), (0, 0, side, 16)), rectangle((4, 4), 0, 0, cells, 4))


def test_boxes_beyond_the_canvas_end_there() -> None:
    assert masks_of(tensor(np.ones((4, 4))), (4, 4), (-50, -50, 99, 99)).all()


def test_a_box_without_cells_has_a_mask_without_pixels() -> None:
    assert not masks_of(tensor(np.ones((4, 4))), (4, 4), (5, 5, 5.5, 5.5)).any()


def test_padding_of_a_letterbox_is_no_part_of_the_picture() -> None:
    # 8x4 on a canvas of 16: 16x8, 4 rows above and below, which are one of the grid's four rows each
    grid = tensor([[9] * 4, [1] * 4, [0] * 4, [9] * 4])
    assert_array_equal(masks_of(grid, (8, 4), steps=LETTERBOX), rectangle((8, 4), 0, 0, 8, 2))


def test_a_static_crop_puts_masks_at_its_place() -> None:
    crop = StaticCrop(x_min=25, y_min=50, x_max=75, y_max=100)
    steps = ImagePreprocessing(resize_mode=ResizeMode.STRETCH, static_crop=crop)
    # the crop is 4x2 pixels from column 2 and row 2 on; its left half belongs
    grid = tensor([[1, 0]])
    assert_array_equal(masks_of(grid, (8, 4), steps=steps), rectangle((8, 4), 2, 2, 4, 4))


CENTER_CROP = ImagePreprocessing(resize_mode=ResizeMode.CENTER_CROP)


def test_a_centre_crop_of_a_small_picture_leaves_out_the_border_around_it() -> None:
    # the canvas of 16 shows 4 pixels of border around the 8x8, which are one cell
    assert_array_equal(masks_of(tensor([[1, 1, 0, 0]] * 4), (8, 8), steps=CENTER_CROP), rectangle((8, 8), 0, 0, 4, 8))


def test_a_centre_crop_of_a_large_picture_knows_nothing_beyond_its_canvas() -> None:
    # the canvas shows the middle 16x16 of 32x32; its left half belongs, but for the corners, where two means meet
    expected = rectangle((32, 32), 8, 8, 16, 24)
    expected[[8, 8, 23, 23], [8, 15, 8, 15]] = False
    assert_array_equal(masks_of(tensor([[1, 1, 0, 0]] * 4), (32, 32), steps=CENTER_CROP), expected)


def test_the_fast_mode_works_at_the_size_of_the_grid() -> None:
    # between the cells the accurate mode finds values above 0.3, the fast mode takes the cell that a pixel lies in
    grid = tensor([[0, 1]])
    assert masks_of(grid, (16, 1), level=0.3).sum() == 10
    assert_array_equal(masks_of(grid, (16, 1), level=0.3, mask_decode_mode="fast"), rectangle((16, 1), 8, 0, 16, 1))


def test_the_tradeoff_lies_between_the_two() -> None:
    grid = tensor([[0, 1]])
    ends = [
        masks_of(grid, (16, 1), level=0.3, mask_decode_mode="tradeoff", tradeoff_factor=factor) for factor in (0.0, 1.0)
    ]
    assert_array_equal(ends[0], masks_of(grid, (16, 1), level=0.3, mask_decode_mode="fast"))
    assert_array_equal(ends[1], masks_of(grid, (16, 1), level=0.3))
    # half way: 2 / 2 + 16 / 2 = 9 cells; the centre of the fourth at 3.5 / 9 * 2 = 0.78 has 0.28, of the fifth 0.5
    half = masks_of(grid, (16, 1), level=0.3, mask_decode_mode="tradeoff", tradeoff_factor=0.5)
    assert half.sum() == sum((column + 0.5) * 9 / 16 >= 4 for column in range(16))


def test_masks_that_are_low_everywhere_have_no_pixels() -> None:
    assert not masks_of(tensor(np.zeros((4, 4))), (8, 8)).any()


def test_no_objects_have_no_masks() -> None:
    geometry = plan_geometry((8, 4), (16, 16), STRETCH)
    laid = MaskGrid.of(geometry, (4, 4), PredictionOptions())
    found = laid.masks(np.zeros((0, 4, 4), np.float32), 0.5, np.zeros((0, 4), np.float32))
    assert (len(found), found.image_wh) == (0, (8, 4))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_do_no_harm(broken: float) -> None:
    assert masks_of(tensor([[broken, 1], [1, 1]]), (4, 4)).shape == (4, 4)
