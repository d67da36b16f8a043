from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from deployments.models.page_reading.page import Box, compose_page, page_of_line
from deployments.models.recognition.recognized_line import RecognizedLine
from workflows.values.recognized_text import TextLevel


def word(text: str, *xyxy: float, score: float = 0.9) -> Box:
    return Box(xyxy=np.array(xyxy, dtype=np.float64), level=TextLevel.WORD, text=text, score=score)


def test_words_are_joined_by_blanks_lines_by_newlines_and_blocks_by_an_empty_line() -> None:
    page = compose_page(
        [
            [[word("AB", 0, 0, 10, 5), word("12", 12, 0, 20, 5)], [word("C", 0, 8, 5, 13)]],
            [[word("D", 50, 90, 60, 99)]],
        ]
    )
    assert page.text == "AB 12\nC\n\nD"


def test_boxes_are_the_words_of_a_line_then_the_line_and_behind_its_lines_the_block() -> None:
    page = compose_page([[[word("AB", 0, 0, 10, 5), word("12", 12, 1, 20, 6)], [word("C", 3, 8, 5, 13)]]])
    assert_array_equal(page.level, [2, 2, 1, 2, 1, 0])
    assert page.texts == ("AB", "12", "AB 12", "C", "C", "AB 12\nC")
    assert_array_equal(
        page.xyxy,
        [[0, 0, 10, 5], [12, 1, 20, 6], [0, 0, 20, 6], [3, 8, 5, 13], [3, 8, 5, 13], [0, 0, 20, 13]],
    )


def test_a_line_a_block_and_a_page_are_as_sure_as_their_least_sure_word() -> None:
    page = compose_page([[[word("A", 0, 0, 1, 1, score=0.9), word("B", 2, 0, 3, 1, score=0.4)]]])
    assert_array_equal(page.scores, [0.9, 0.4, 0.4, 0.4])
    assert page.confidence == 0.4


def test_a_page_without_words_is_empty() -> None:
    page = compose_page([])
    assert (page.text, page.texts, page.confidence) == ("", (), 0.0)
    assert (page.xyxy.shape, page.level.shape, page.scores.shape) == ((0, 4), (0,), (0,))


def test_a_single_line_is_a_word_a_line_and_a_block_in_one_place() -> None:
    page = page_of_line(RecognizedLine(text="AB 12", confidence=0.5, xyxy=(1, 2, 3, 4)))
    assert (page.text, page.confidence) == ("AB 12", 0.5)
    assert_array_equal(page.level, [2, 1, 0])
    assert_array_equal(page.xyxy, [[1, 2, 3, 4]] * 3)


def test_a_line_without_text_has_no_boxes() -> None:
    assert page_of_line(RecognizedLine(text="", confidence=0.0, xyxy=(1, 2, 3, 4))).texts == ()
