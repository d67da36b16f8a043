"""A text detector and a text recognizer that read pages together."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from deployments.models.package import ModelPackage
from deployments.models.page_reading.cutting import cut_region
from deployments.models.page_reading.layout import arrange
from deployments.models.page_reading.one_line import LineVerdict, has_line_shape, judge_line
from deployments.models.page_reading.page import Box, compose_page, page_of_line
from deployments.models.page_reading.text_reader import ReadBatch, TextReader
from deployments.models.recognition.recognized_line import RecognizedBatch, RecognizedLine
from deployments.models.text_detection.text_regions import FoundText, TextRegions, envelopes
from deployments.models.timing import BatchTiming, added_up
from workflows.values.image import Pixels
from workflows.values.recognized_text import RecognizedText, TextLevel

NO_TIME = added_up(())

WORD_CONFIDENCE = 0.4
"""Confidence from which what was read on a region is a word. Of 18 regions without text on one sample photograph, 15
are read less surely; the words of a drawn page were read with 0.54 and more."""


class LineRecognizer(Protocol):
    """Reads the line of text on each crop of a batch."""

    @property
    def input_hw(self) -> tuple[int, int]:
        """Height and width of the network's input."""

    @property
    def batch_size(self) -> int | None:
        """The only batch that the network takes."""

    def read_batch(self, crops_bgr: Sequence[Pixels]) -> RecognizedBatch:
        """One line for each crop."""


class RegionDetector(Protocol):
    """Finds words or lines on pictures."""

    def detect_batch(self, images_bgr: Sequence[Pixels]) -> FoundText:
        """Regions of each picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What one run of the recognizer read, by position of the picture.

    Attributes:
        lines: of pictures that were read whole.
        words: of each region of the others.
        timing: where the time went.
    """

    lines: dict[int, RecognizedLine]
    words: dict[int, list[RecognizedLine]]
    timing: BatchTiming


class PageReader(TextReader):
    """Reads a crop of one line in one go, and everything else word by word.

    The recognizer runs at most twice for a batch, whatever is on its pictures: on those in the shape of a line together
    with the words of all others, and on what that left open.

    Args:
        package: of the recognizer.
        recognizer: reads crops.
        detector: finds words; None to take every picture for one line.
        sure_from: confidence from which a picture is taken to hold one line and no more.
    """

    def __init__(
        self, package: ModelPackage, recognizer: LineRecognizer, detector: RegionDetector | None, sure_from: float
    ) -> None:
        self.package = package
        self.input_hw = recognizer.input_hw
        self.batch_size = recognizer.batch_size
        self._recognizer = recognizer
        self._detector = detector
        self._sure_from = sure_from

    def read_batch(self, images_bgr: Sequence[Pixels]) -> ReadBatch:
        """Text on each picture; see `TextReader.read_batch`."""
        if self._detector is None:
            only = self._recognize(images_bgr, range(len(images_bgr)), {})
            return ReadBatch(pages=[page_of_line(only.lines[at]) for at in only.lines], timing=only.timing)
        shaped = [at for at, image in enumerate(images_bgr) if has_line_shape(_wh(image))]
        regions, finding = self._find(self._detector, images_bgr, set(range(len(images_bgr))) - set(shaped))
        first = self._recognize(images_bgr, shaped, regions)
        unsure = {at for at in shaped if self._verdict(images_bgr[at], first.lines[at]) is not LineVerdict.ONE_LINE}
        more_regions, more_finding = self._find(self._detector, images_bgr, unsure)
        # A single large letter, or a line that runs upwards: what no region was found on may still be one line.
        blank = [at for at, found in regions.items() if not len(found)]
        second = self._recognize(images_bgr, blank, more_regions)
        regions |= more_regions
        lines, words = first.lines | second.lines, first.words | second.words
        pages = []
        for at, image in enumerate(images_bgr):
            page = _page(image, regions[at], words[at]) if at in regions else RecognizedText.nothing()
            line = lines.get(at)
            if line is not None and (at in shaped or line.confidence >= self._sure_from):
                page = _better(page, line)
            pages.append(page)
        return ReadBatch(pages=pages, timing=added_up([finding, first.timing, more_finding, second.timing]))

    def _verdict(self, image: Pixels, line: RecognizedLine) -> LineVerdict:
        return judge_line(_wh(image), line.confidence, self._sure_from)

    def _find(
        self, detector: RegionDetector, images: Sequence[Pixels], positions: Collection[int]
    ) -> tuple[dict[int, TextRegions], BatchTiming]:
        if not positions:
            return {}, NO_TIME
        ordered = sorted(positions)
        found = detector.detect_batch([images[at] for at in ordered])
        return dict(zip(ordered, found.regions, strict=True)), found.timing

    def _recognize(self, images: Sequence[Pixels], whole: Sequence[int], regions: Mapping[int, TextRegions]) -> _Read:
        """Whole pictures and regions of others, in one batch."""
        started = time.perf_counter()
        crops = [images[at] for at in whole]
        for at, found in regions.items():
            crops.extend(cut_region(images[at], quad) for quad in found)
        if not crops:
            return _Read(lines={}, words={at: [] for at in regions}, timing=NO_TIME)
        cut_ms = (time.perf_counter() - started) * 1000
        batch = self._recognizer.read_batch(crops)
        read = iter(batch.lines)
        return _Read(
            lines={at: next(read) for at in whole},
            words={at: [next(read) for _ in found] for at, found in regions.items()},
            timing=replace(batch.timing, preprocess_ms=batch.timing.preprocess_ms + cut_ms),
        )


def _wh(image: Pixels) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _page(image: Pixels, regions: TextRegions, read: Sequence[RecognizedLine]) -> RecognizedText:
    """Regions on which nothing is read, or hardly anything for sure, are no words."""
    kept = [at for at, line in enumerate(read) if line.text.strip() and line.confidence >= WORD_CONFIDENCE]
    quads = regions.quads[kept]
    boxes = envelopes(quads, _wh(image))
    words = [
        Box(xyxy=boxes[row], level=TextLevel.WORD, text=read[at].text.strip(), score=read[at].confidence)
        for row, at in enumerate(kept)
    ]
    return compose_page([[[words[word] for word in line] for line in block] for block in arrange(quads)])


def _better(page: RecognizedText, line: RecognizedLine) -> RecognizedText:
    """The page, unless it is a single line at most that was read more surely as a whole."""
    lines = int(np.count_nonzero(page.level == TextLevel.LINE))
    return page_of_line(line) if lines == 0 or (lines == 1 and line.confidence >= page.confidence) else page
