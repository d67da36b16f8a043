from __future__ import annotations

from dataclasses import dataclass, field

from numpy.testing import assert_allclose

from deployments.models.doctr_torch.page import text_of_page


@dataclass
class Word:
    value: str
    confidence: float
    geometry: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (1.0, 1.0))


@dataclass
class Line:
    words: list[Word]


@dataclass
class Block:
    lines: list[Line]


@dataclass
class Page:
    blocks: list[Block] = field(default_factory=list)


def test_a_page_without_words_reads_as_nothing() -> None:
    read = text_of_page(Page(), (200, 100))
    assert (read.text, read.texts, read.confidence, read.xyxy.shape) == ("", (), 0.0, (0, 4))


def test_words_lines_and_blocks_come_in_the_order_of_every_reader() -> None:
    first = Line([Word("Total", 0.9, ((0.1, 0.2), (0.3, 0.4))), Word("38.50", 0.8, ((0.35, 0.1), (0.5, 0.4)))])
    second = Line([Word("Paid", 0.7, ((0.1, 0.5), (0.2, 0.6)))])
    other = Line([Word("2417", 0.95, ((0.7, 0.8), (0.9, 1.0)))])
    read = text_of_page(Page([Block([first, second]), Block([other])]), (200, 100))
    assert read.text == "Total 38.50\nPaid\n\n2417"
    assert read.texts == (
        *("Total", "38.50", "Total 38.50", "Paid", "Paid", "Total 38.50\nPaid"),
        *("2417", "2417", "2417"),
    )
    assert read.level.tolist() == [2, 2, 1, 2, 1, 0, 2, 1, 0]
    assert read.scores.tolist() == [0.9, 0.8, 0.8, 0.7, 0.7, 0.7, 0.95, 0.95, 0.95]
    assert read.confidence == 0.7
    # parts of 200x100 pixels
    assert_allclose(read.xyxy[:3], [[20, 20, 60, 40], [70, 10, 100, 40], [20, 10, 100, 40]])
    assert_allclose(read.xyxy[5], [20, 10, 100, 60])


def test_regions_on_which_nothing_was_read_are_left_out_with_their_lines_and_blocks() -> None:
    page = Page(
        [Block([Line([Word("", 0.1)])]), Block([Line([Word(" ", 0.1)]), Line([Word(" A ", 0.6), Word("", 0.1)])])]
    )
    read = text_of_page(page, (10, 10))
    assert read.text == "A"
    assert read.level.tolist() == [2, 1, 0]


def test_boxes_end_at_the_border_and_confidence_at_one() -> None:
    read = text_of_page(Page([Block([Line([Word("A", 1.0000001, ((-0.1, 0.0), (1.2, 1.0)))])])]), (40, 20))
    assert read.xyxy[0].tolist() == [0, 0, 40, 20]
    assert read.confidence == 1.0
