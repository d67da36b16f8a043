from __future__ import annotations

import pytest

from deployments.models.page_reading.one_line import LineVerdict, has_line_shape, judge_line


@pytest.mark.parametrize(
    "wh",
    [
        (320, 70),  # a plate padded by 200 x 40
        (256, 55),  # a small one
        (300, 90),  # an American one
        (140, 100),  # the same, bare and seen from the side
        (1200, 300),  # a bare plate on a large photograph
        (8000, 40),  # a line of a page
    ],
)
def test_a_crop_of_one_line_has_the_shape_of_one(wh: tuple[int, int]) -> None:
    assert has_line_shape(wh)


@pytest.mark.parametrize(
    "wh",
    [
        (1280, 720),  # a photograph
        (640, 480),
        (2480, 3508),  # a page
        (90, 80),  # a two-line plate
        (30, 60),  # a letter
        (1, 1),
    ],
)
def test_pages_photographs_and_square_crops_have_not(wh: tuple[int, int]) -> None:
    assert not has_line_shape(wh)


@pytest.mark.parametrize(
    ("wh", "confidence", "verdict"),
    [
        ((320, 70), 0.5, LineVerdict.ONE_LINE),
        ((320, 70), 0.49, LineVerdict.UNSURE),
        ((320, 70), None, LineVerdict.NO_LINE_SHAPE),
        ((640, 480), 0.99, LineVerdict.NO_LINE_SHAPE),
    ],
)
def test_a_crop_stays_one_line_when_it_was_read_surely(
    wh: tuple[int, int], confidence: float | None, verdict: LineVerdict
) -> None:
    assert judge_line(wh, confidence, sure_from=0.5) is verdict
