from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.page_reading.page_reader import NO_TIME, PageReader
from deployments.models.recognition.recognized_line import RecognizedBatch, RecognizedLine
from deployments.models.text_detection.text_regions import FoundText, TextRegions
from tests.unit.deployments.models.builders import text_package

Picture = NDArray[np.uint8]
SURE_FROM = 0.5

LETTERS = {1: "A", 2: "B", 3: "C"}
"""What is read on a crop by its brightest pixel; 100 more is read unsurely, 200 more hardly."""


class BrightnessRecognizer:
    """Reads a letter by brightness."""

    input_hw = (32, 128)
    batch_size = None

    def __init__(self) -> None:
        self.batches: list[int] = []

    def read_batch(self, crops_bgr: Sequence[Picture]) -> RecognizedBatch:
        self.batches.append(len(crops_bgr))
        return RecognizedBatch(lines=[self._line(crop) for crop in crops_bgr], timing=NO_TIME)

    def _line(self, crop: Picture) -> RecognizedLine:
        value = int(crop.max(initial=0))
        text = LETTERS.get(value % 100, "")
        confidence = (0.9, 0.45, 0.1)[value // 100] if text else 0.0
        return RecognizedLine(text=text, confidence=confidence, xyxy=(0, 0, crop.shape[1], crop.shape[0]))


class BlockDetector:
    """Finds every rectangle of one brightness, in no good order."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect_batch(self, images_bgr: Sequence[Picture]) -> FoundText:
        self.batches.append(len(images_bgr))
        return FoundText(regions=[self._regions(image) for image in images_bgr], timing=NO_TIME)

    def _regions(self, image: Picture) -> TextRegions:
        quads = []
        rows = np.flatnonzero(image.any(axis=1))
        for top, bottom in _runs(rows):
            for left, right in _runs(np.flatnonzero(image[top])):
                quads.append([[left, top], [right, top], [right, bottom], [left, bottom]])
        array = np.array(quads[::-1], dtype=np.float32).reshape(-1, 4, 2)
        return TextRegions(quads=array, score=np.ones(len(array), dtype=np.float32))


def _runs(positions: NDArray[np.int64]) -> list[tuple[int, int]]:
    parts = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def picture(*words: tuple[int, tuple[int, int, int, int]], wh: tuple[int, int] = (300, 300)) -> Picture:
    """Grey pixels; each word is a rectangle of its brightness."""
    pixels = np.zeros((wh[1], wh[0]), dtype=np.uint8)
    for value, (left, top, right, bottom) in words:
        pixels[top:bottom, left:right] = value
    pixels.flags.writeable = False
    return pixels


PAGE = picture((1, (10, 10, 60, 30)), (2, (80, 10, 130, 30)), (3, (10, 40, 60, 60)), (1, (10, 200, 60, 220)))
LINE = picture((2, (50, 20, 100, 40)), wh=(300, 60))
TWO_LINES = picture((101, (50, 5, 120, 25)), (102, (50, 32, 120, 52)), wh=(300, 60))
NOTHING = picture()


@pytest.fixture
def recognizer() -> BrightnessRecognizer:
    return BrightnessRecognizer()


@pytest.fixture
def detector() -> BlockDetector:
    return BlockDetector()


@pytest.fixture
def reader(recognizer: BrightnessRecognizer, detector: BlockDetector) -> PageReader:
    return PageReader(text_package("ABC"), recognizer, detector, SURE_FROM)


def texts(reader: PageReader, *pictures: Picture) -> list[str]:
    return [page.text for page in reader.read_batch(pictures).pages]


def test_a_page_is_read_word_by_word(reader: PageReader) -> None:
    [page] = reader.read_batch([PAGE]).pages
    assert page.text == "A B\nC\n\nA"
    assert_array_equal(page.level, [2, 2, 1, 2, 1, 0, 2, 1, 0])
    assert_array_equal(page.xyxy[:3], [[10, 10, 60, 30], [80, 10, 130, 30], [10, 10, 130, 30]])
    assert page.confidence == 0.9


def test_a_crop_of_one_line_is_read_in_one_run_and_never_searched(
    reader: PageReader, recognizer: BrightnessRecognizer, detector: BlockDetector
) -> None:
    [page] = reader.read_batch([LINE]).pages
    assert page.text == "B"
    assert_array_equal(page.xyxy, [[0, 0, 300, 60]] * 3)
    assert (recognizer.batches, detector.batches) == ([1], [])


def test_a_crop_that_was_not_read_surely_is_searched_and_its_two_lines_are_two(
    reader: PageReader, recognizer: BrightnessRecognizer, detector: BlockDetector
) -> None:
    assert texts(reader, TWO_LINES) == ["A\nB"]
    assert (recognizer.batches, detector.batches) == ([1, 2], [1])


def test_words_of_all_pages_share_a_run_with_the_crops_of_one_line(
    reader: PageReader, recognizer: BrightnessRecognizer, detector: BlockDetector
) -> None:
    assert texts(reader, LINE, PAGE, LINE, PAGE) == ["B", "A B\nC\n\nA"] * 2
    assert (recognizer.batches, detector.batches) == ([2 + 2 * 4], [2])


def test_the_recognizer_runs_twice_at_most(
    reader: PageReader, recognizer: BrightnessRecognizer, detector: BlockDetector
) -> None:
    assert texts(reader, TWO_LINES, PAGE, NOTHING, LINE, TWO_LINES) == ["A\nB", "A B\nC\n\nA", "", "B", "A\nB"]
    # two unsure crops, four words and a line; then two words of each crop, and the picture on which nothing was found
    assert (recognizer.batches, detector.batches) == ([7, 5], [2, 2])


def test_a_single_line_that_is_unsure_either_way_keeps_the_surer_reading(
    recognizer: BrightnessRecognizer,
) -> None:
    class Half(BlockDetector):
        """Finds half of the line, which is read surely."""

        def _regions(self, image: Picture) -> TextRegions:
            quads = np.array([[[0, 0], [30, 0], [30, 60], [0, 60]]], dtype=np.float32)
            return TextRegions(quads=quads, score=np.ones(1, dtype=np.float32))

    reader = PageReader(text_package("ABC"), recognizer, Half(), SURE_FROM)
    surer_in_parts = picture((1, (0, 20, 40, 40)), (102, (50, 20, 90, 40)), wh=(300, 60))
    surer_whole = picture((101, (0, 20, 40, 40)), (102, (50, 20, 90, 40)), wh=(300, 60))
    assert texts(reader, surer_in_parts, surer_whole) == ["A", "B"]


def test_an_unsure_crop_on_which_nothing_is_found_keeps_its_reading(recognizer: BrightnessRecognizer) -> None:
    class Blind(BlockDetector):
        def _regions(self, image: Picture) -> TextRegions:
            return TextRegions.none()

    reader = PageReader(text_package("ABC"), recognizer, Blind(), SURE_FROM)
    assert texts(reader, picture((101, (50, 20, 90, 40)), wh=(300, 60))) == ["A"]


def test_a_square_picture_on_which_nothing_is_found_is_one_line_when_it_is_read_surely(
    recognizer: BrightnessRecognizer,
) -> None:
    class Blind(BlockDetector):
        def _regions(self, image: Picture) -> TextRegions:
            return TextRegions.none()

    reader = PageReader(text_package("ABC"), recognizer, Blind(), SURE_FROM)
    sure, unsure = picture((1, (9, 9, 20, 20)), wh=(30, 30)), picture((101, (9, 9, 20, 20)), wh=(30, 30))
    assert texts(reader, sure, unsure) == ["A", ""]


def test_regions_on_which_nothing_is_read_are_no_words(reader: PageReader) -> None:
    page = picture((1, (10, 10, 60, 30)), (50, (80, 10, 130, 30)), (50, (10, 200, 60, 220)))
    [read] = reader.read_batch([page]).pages
    assert (read.text, len(read.xyxy)) == ("A", 3)


def test_what_is_hardly_read_on_a_region_is_no_word(reader: PageReader) -> None:
    page = picture((1, (10, 10, 60, 30)), (202, (80, 10, 130, 30)), (103, (10, 200, 60, 220)))
    assert texts(reader, page) == ["A\n\nC"]


def test_a_page_without_text_is_empty(reader: PageReader) -> None:
    [page] = reader.read_batch([NOTHING]).pages
    assert (page.text, len(page.xyxy), page.confidence) == ("", 0, 0.0)


def test_without_a_detector_every_picture_is_one_line(recognizer: BrightnessRecognizer) -> None:
    reader = PageReader(text_package("ABC"), recognizer, None, SURE_FROM)
    assert texts(reader, PAGE, LINE, NOTHING) == ["C", "B", ""]
    assert recognizer.batches == [3]


@pytest.mark.parametrize("shape", [(0, 0), (0, 50), (50, 0)])
def test_a_picture_without_pixels_reads_as_nothing_and_leaves_the_others_alone(
    reader: PageReader, shape: tuple[int, int]
) -> None:
    assert texts(reader, LINE, np.zeros(shape, dtype=np.uint8), PAGE) == ["B", "", "A B\nC\n\nA"]


def test_an_empty_batch_runs_nothing(
    reader: PageReader, recognizer: BrightnessRecognizer, detector: BlockDetector
) -> None:
    assert reader.read_batch([]).pages == []
    assert (recognizer.batches, detector.batches) == ([], [])
