from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from deployments.models.page_reading.layout import arrange


def quads(*boxes: tuple[float, float, float, float]) -> NDArray[np.float32]:
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    made = array[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    made.flags.writeable = False
    return made


def turned(made: NDArray[np.float32], degrees: float, centre: tuple[float, float]) -> NDArray[np.float32]:
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return ((made - centre) @ matrix + centre).astype(np.float32)


def test_a_page_without_words_has_no_blocks() -> None:
    assert arrange(quads()) == []


def test_a_word_is_a_line_and_a_block() -> None:
    assert arrange(quads((5, 5, 40, 20))) == [[[0]]]


def test_words_of_a_row_are_a_line_from_left_to_right() -> None:
    assert arrange(quads((60, 12, 90, 22), (10, 10, 40, 20), (100, 9, 140, 19))) == [[[1, 0, 2]]]


def test_two_lines_of_a_plate_are_one_block() -> None:
    # "B" and "MW" above "1234", as on a motorcycle
    assert arrange(quads((20, 10, 50, 50), (60, 10, 110, 50), (15, 60, 115, 100))) == [[[0, 1], [2]]]


def test_lines_far_apart_are_blocks_from_top_to_bottom() -> None:
    assert arrange(quads((10, 100, 90, 110), (10, 10, 90, 20))) == [[[1]], [[0]]]


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [(10, 10 + 15 * row, 100, 20 + 15 * row) for row in range(3)]
    right = [(200, 12 + 15 * row, 290, 22 + 15 * row) for row in range(3)]
    mixed = [box for pair in zip(right, left, strict=True) for box in pair]
    assert arrange(quads(*mixed)) == [[[1], [3], [5]], [[0], [2], [4]]]


def test_a_headline_of_another_size_is_a_block_of_its_own() -> None:
    assert arrange(quads((10, 10, 300, 50), (10, 55, 120, 65), (10, 69, 120, 79))) == [[[0]], [[1], [2]]]


def test_a_small_word_in_a_row_of_large_ones_belongs_to_the_row_only_at_its_height() -> None:
    level = quads((10, 10, 60, 50), (65, 24, 90, 34))
    raised = quads((10, 10, 60, 50), (65, 8, 90, 18))
    assert arrange(level) == [[[0, 1]]]
    assert len([line for block in arrange(raised) for line in block]) == 2


@pytest.mark.parametrize("degrees", [-35.0, -12.0, 12.0, 35.0])
def test_rows_are_followed_along_their_slope(degrees: float) -> None:
    words = [(20 + 60 * column, 20 * row, 70 + 60 * column, 12 + 20 * row) for row in range(3) for column in range(8)]
    page = turned(quads(*words), degrees, (260.0, 46.0))
    assert arrange(page) == [[list(range(8 * row, 8 * row + 8)) for row in range(3)]]


boxes = st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(1, 120), st.floats(1, 60)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@settings(deadline=None)
@given(st.lists(boxes, max_size=25))
def test_every_word_occurs_once_and_no_line_or_block_is_empty(found: list[tuple[float, float, float, float]]) -> None:
    blocks = arrange(quads(*found))
    assert all(blocks)
    assert all(line for block in blocks for line in block)
    assert sorted(word for block in blocks for line in block for word in line) == list(range(len(found)))


@settings(deadline=None)
@given(st.lists(boxes, max_size=15, unique=True), st.randoms(use_true_random=False))
def test_the_order_in_which_words_were_found_does_not_matter(
    found: list[tuple[float, float, float, float]], random: object
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    straight, mixed = (
        [[[tuple(np.float32(order[word])) for word in line] for line in block] for block in arrange(quads(*order))]
        for order in (found, shuffled)
    )
    assert straight == mixed


@st.composite
def pages(draw: st.DrawFn) -> tuple[list[tuple[float, float, float, float]], list[list[int]]]:
    """A column of lines of words: boxes in reading order, and how many words each line of each block has."""
    height, found, counts, top = draw(st.floats(8, 40)), [], [], 5.0
    for _ in range(draw(st.integers(1, 3))):
        counts.append([])
        for _ in range(draw(st.integers(1, 4))):
            counts[-1].append(draw(st.integers(1, 5)))
            left = 10.0
            for _ in range(counts[-1][-1]):
                width = height * draw(st.floats(0.6, 5))
                shift = height * draw(st.floats(-0.1, 0.1))
                found.append((left, top + shift, left + width, top + shift + height))
                left += width + height * draw(st.floats(0.2, 1.2))
            top += height * draw(st.floats(1.3, 1.5))
        top += height * 2
    return found, counts


@settings(deadline=None)
@given(pages())
def test_a_page_of_lines_and_paragraphs_is_read_in_their_order(
    page: tuple[list[tuple[float, float, float, float]], list[list[int]]],
) -> None:
    found, counts = page
    blocks = arrange(quads(*found))
    assert [word for block in blocks for line in block for word in line] == list(range(len(found)))
    assert [[len(line) for line in block] for block in blocks] == counts


def test_a_thousand_words_in_one_place_are_arranged_too() -> None:
    blocks = arrange(quads(*[(10, 10, 40, 20)] * 1000))
    assert sorted(word for block in blocks for line in block for word in line) == list(range(1000))
