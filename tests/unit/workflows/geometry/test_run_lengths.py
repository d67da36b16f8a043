from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from workflows.geometry.masks import tight_window
from workflows.geometry.run_lengths import compress, expand_columns, filled_columns, parse

# Counts are written in groups of five bits from "0" on; 16 in a last group would be a sign, so it needs a second group.
SIX_PIXELS = np.array([[0, 1, 1], [0, 1, 0]], dtype=np.bool_)


def expand(text: str, image_wh: tuple[int, int]) -> np.ndarray:
    return expand_columns(parse(text, image_wh), slice(0, image_wh[0]), image_wh[1])


def test_pixels_are_counted_column_by_column():
    # columns 00, 11, 10: two empty, three full, one empty
    assert compress(SIX_PIXELS) == "231"


def test_a_mask_that_begins_full_has_an_empty_first_run():
    assert compress(np.ones((2, 2), dtype=np.bool_)) == "04"


def test_counts_from_sixteen_on_take_two_characters():
    assert compress(np.zeros((4, 4), dtype=np.bool_)) == "`0"


def test_the_fourth_count_is_a_difference_to_the_second():
    # one column 0 11 0 1: counts 1, 2, 1, 1; the last is written as 1 - 2 = -1, all five bits set
    assert compress(np.array([[0], [1], [1], [0], [1]], dtype=np.bool_)) == "121O"


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_expanding_undoes_compressing(mask):
    assert_array_equal(expand(compress(mask), (mask.shape[1], mask.shape[0])), mask)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)), st.tuples(*[st.integers(0, 4)] * 4))
def test_a_mask_on_a_canvas_is_written_like_the_whole_canvas(mask, borders):
    left, top, right, bottom = borders
    whole = np.pad(mask, ((top, bottom), (left, right)))
    canvas_wh = whole.shape[1], whole.shape[0]
    assert compress(mask, left_px=left, top_px=top, canvas_wh=canvas_wh) == compress(whole)
    assert_array_equal(expand(compress(whole), canvas_wh), whole)


def test_a_mask_without_pixels_has_one_empty_run():
    assert compress(np.zeros((0, 0), dtype=np.bool_)) == "0"


@pytest.mark.parametrize("text", ["23", "2311", "`", "2 1", "2O1"])
def test_text_that_does_not_fill_the_mask_is_refused(text):
    with pytest.raises(ValueError, match="run lengths"):
        expand(text, (3, 2))


@given(st.text(max_size=12))
def test_any_text_is_a_mask_or_refused(text):
    with contextlib.suppress(ValueError):
        assert expand(text, (3, 2)).shape == (2, 3)


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_the_filled_columns_hold_all_pixels_and_no_empty_column_at_their_ends(mask):
    height, width = mask.shape
    counts = parse(compress(mask), (width, height))
    columns = filled_columns(counts, height)
    assert columns == tight_window(mask)[0]
    assert_array_equal(expand_columns(counts, columns, height), mask[:, columns])
