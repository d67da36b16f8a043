from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.models.package_layouts.contents import TextReading
from deployments.models.recognition.wide_crops import join_pair, join_texts, split_wide

READING = TextReading(vocabulary="ABC")


def columns(height: int, width: int) -> NDArray[np.uint8]:
    """A crop whose pixels are the number of their column."""
    return np.repeat(np.tile(np.arange(width, dtype=np.uint8), (height, 1))[:, :, None], 3, axis=2)


def starts(crop: NDArray[np.uint8]) -> list[int]:
    return [int(piece[0, 0, 0]) for piece in split_wide(crop, READING).pixels]


@pytest.mark.parametrize("width", [1, 10, 80])
def test_a_crop_up_to_eight_times_as_wide_as_high_stays_whole(width: int) -> None:
    pieces = split_wide(columns(10, width), READING)
    assert [piece.shape for piece in pieces.pixels] == [(10, width, 3)]


def test_a_wider_crop_becomes_pieces_six_times_as_wide_that_half_overlap() -> None:
    pieces = split_wide(columns(10, 120), READING)
    assert {piece.shape for piece in pieces.pixels} == {(10, 60, 3)}
    assert starts(columns(10, 120)) == [0, 30, 60]
    assert pieces.last_overlap == 0.5


def test_the_last_piece_ends_where_the_crop_does() -> None:
    pieces = split_wide(columns(10, 100), READING)
    assert starts(columns(10, 100)) == [0, 30, 40]
    assert pieces.last_overlap == pytest.approx(50 / 60)


def test_one_column_over_the_limit_is_split() -> None:
    assert starts(columns(10, 81)) == [0, 21]


@pytest.mark.parametrize("width", [65_535, 1_000_000])
def test_a_line_without_end_becomes_few_pieces_that_show_all_of_it(width: int) -> None:
    pieces = split_wide(np.zeros((1, width, 3), dtype=np.uint8), READING)
    assert 32 <= len(pieces.pixels) <= 66
    shown = {piece.shape[1] for piece in pieces.pixels}
    assert len(shown) == 1
    assert shown.pop() * len(pieces.pixels) >= width


@pytest.mark.parametrize(("width", "count"), [(81, 2), (300, 3), (65_535, 3)])
def test_a_reading_may_allow_a_handful_of_pieces(width: int, count: int) -> None:
    reading = TextReading(vocabulary="ABC", critical_aspect_ratio=40, piece_aspect_ratio=40, max_pieces=4)
    pieces = split_wide(np.zeros((2, width, 3), dtype=np.uint8), reading)
    assert len(pieces.pixels) == count
    assert len({piece.shape for piece in pieces.pixels}) == 1


@pytest.mark.parametrize(
    ("left", "right", "overlap", "joined"),
    [
        # "abcd" and "defgh" share d: the last i and the first c are taken for cut
        ("abcdi", "cdefgh", 0.5, "abcdefgh"),
        # "abc" and "defgh" share nothing; round(6 * 0.5) - 2 = 1 is expected, so one character goes with the cut ones
        ("abcd", "cdefgh", 0.5, "abcefgh"),
        # "AAAA" against "AAAA": all lengths agree; round(5 * 0.8) - 2 = 2 is expected: AAAA + AA
        ("AAAAX", "XAAAA", 0.8, "AAAAAA"),
        # nothing agrees, an overlap of round(4 * 0) - 2 < 0 characters is expected: side by side
        ("WXYZ", "1234", 0.0, "WXYZ1234"),
        # nothing agrees, round(4 * 0.5) - 2 = 0: only the cut characters go
        ("WXYZ", "1234", 0.5, "WXY234"),
        # "bcde" against "bxde": no length without a difference, round(6 * 1) - 2 = 4 with one difference wins
        ("abcdeX", "Xbxdef", 1.0, "abcdef"),
        ("", "AB", 0.5, "AB"),
        ("A", "AB", 0.5, "AAB"),
    ],
)
def test_two_texts_are_joined_where_they_agree_best(left: str, right: str, overlap: float, joined: str) -> None:
    assert join_pair(left, right, overlap) == joined


def test_texts_are_joined_from_left_to_right_the_last_with_its_own_overlap() -> None:
    # ABCDEF + DEFGHI: "ABCDE" and "EFGHI" share E; then ABCDEFGHI + GHIJKL: "...GH" and "HIJKL" share H
    assert join_texts(["ABCDEF", "DEFGHI", "GHIJKL"], 0.5, 0.5) == "ABCDEFGHIJKL"


@pytest.mark.parametrize(("texts", "joined"), [([], ""), (["AB"], "AB"), (["", ""], "")])
def test_fewer_than_two_texts_need_no_joining(texts: list[str], joined: str) -> None:
    assert join_texts(texts, 0.5, 0.5) == joined
