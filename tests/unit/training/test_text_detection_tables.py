import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.unit.training.text_scene_builders import rectangle, scene
from training.text_detection_tables import match_words, two_lines

NOTHING = np.zeros((0, 4, 2), np.float32)
WORD = rectangle(20, 20, 120, 40)
HALF = rectangle(20, 20, 69, 40)  # 0.49 of the word


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ([], [0, 0, 1]),
        ([WORD], [1, 1, 1]),
        ([HALF], [0, 1, 1]),
        ([WORD, WORD], [1, 2, 1]),  # one word is found once
    ],
)
def test_a_word_is_found_when_half_of_both_boxes_is_shared(found, counts):
    quads = np.array(found, np.float32).reshape(-1, 4, 2)
    assert_array_equal(match_words(quads, scene([WORD], [True])).counts(), counts)


def test_what_is_found_on_print_that_has_no_box_counts_for_nothing():
    assert_array_equal(match_words(WORD[None], scene([], [], [WORD])).counts(), [0, 0, 0])
    assert_array_equal(match_words(WORD[None], scene([WORD], [False])).counts(), [0, 0, 0])


def test_lines_are_counted_on_the_registration_alone():
    lines = [rectangle(30, 10, 110, 25), rectangle(30, 32, 110, 50)]
    plate, beside = scene(lines, [True, True]), rectangle(120, 2, 150, 8)
    assert two_lines(np.array([*lines, beside]), plate)
    assert not two_lines(np.array([lines[0], beside]), plate)
    assert not two_lines(NOTHING, plate)
