import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.unit.training.text_scene_builders import rectangle, scene
from training.text_maps import BORDER, GAP, KERNEL, NEITHER, UNKNOWN, paint_target, shrunken


def test_a_word_shrinks_by_three_quarters_of_its_area_over_its_perimeter():
    # 100 x 20: 2000 * 0.75 / 240 = 6.25 on each side
    assert_allclose(shrunken(rectangle(10, 10, 110, 30)), rectangle(16.25, 16.25, 103.75, 23.75))


def test_a_turned_word_shrinks_along_its_own_sides():
    # The same turned by a right angle: its top left corner is at the top right.
    turned = np.roll(rectangle(10, 10, 30, 110), -1, axis=0)
    assert_allclose(shrunken(turned), np.roll(rectangle(16.25, 16.25, 23.75, 103.75), -1, axis=0))


@pytest.mark.parametrize(("height", "left_of_it"), [(5, 3), (3, 3), (2, 2)])
def test_small_print_keeps_three_pixels_or_all_it_has(height, left_of_it):
    kernel = shrunken(rectangle(0, 0, 80, height))
    assert kernel[2, 1] - kernel[0, 1] == pytest.approx(left_of_it)


def test_an_empty_scene_has_no_text():
    assert (paint_target(scene()) == NEITHER).all()


def test_a_word_is_a_kernel_within_a_border():
    target = paint_target(scene([rectangle(20, 20, 120, 40)], [True]))
    assert target[30, 70] == KERNEL
    assert target[22, 70] == target[30, 22] == BORDER
    assert target[10, 70] == target[30, 140] == NEITHER


def test_what_cannot_be_read_is_unknown():
    assert paint_target(scene([rectangle(20, 20, 120, 40)], [False]))[30, 70] == UNKNOWN


def test_the_captions_of_a_plate_are_unknown_and_the_gap_between_its_lines_is_not():
    lines = [rectangle(30, 10, 110, 25), rectangle(30, 32, 110, 50)]
    target = paint_target(scene(lines, [True, True], [rectangle(10, 2, 150, 58)]))
    assert target[5, 70] == target[30, 15] == UNKNOWN
    assert target[28, 70] == NEITHER
    assert target[17, 70] == target[41, 70] == KERNEL


def test_what_lies_between_two_words_of_a_line_is_a_gap():
    target = paint_target(scene([rectangle(10, 20, 60, 40), rectangle(66, 20, 116, 40)], [True, True]))
    # 50 x 20 shrinks by 1000 * 0.75 / 140 = 5.4 on each side
    assert (target[30, 56:70] == GAP).all()
    assert target[22, 63] == NEITHER
    assert target[30, 53] == target[30, 73] == KERNEL
    assert target[30, 12] == BORDER


@pytest.mark.parametrize(("left", "legible"), [(91, True), (66, False)])
def test_words_that_are_far_apart_or_cannot_be_read_leave_no_gap(left, legible):
    # 20 pixels tall: from 30 pixels on they are far apart
    words = [rectangle(10, 20, 60, 40), rectangle(left, 20, left + 50, 40)]
    assert not (paint_target(scene(words, [True, legible])) == GAP).any()
