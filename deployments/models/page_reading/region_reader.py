"""A text detector alone: where text stands, but not what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deployments.models.package import ModelPackage
from deployments.models.page_reading.layout import arrange
from deployments.models.page_reading.page import Box, compose_page
from deployments.models.page_reading.text_reader import ReadBatch, TextReader
from deployments.models.text_detection.text_detector import TextDetector
from deployments.models.text_detection.text_regions import TextRegions, envelopes
from workflows.values.image import Pixels
from workflows.values.recognized_text import RecognizedText, TextLevel


class RegionReader(TextReader):
    """Gives the boxes of a page with empty texts."""

    def __init__(self, package: ModelPackage, detector: TextDetector) -> None:
        self.package = package
        self.input_hw = detector.input_hw
        self.batch_size = detector.batch_size
        self._detector = detector

    def read_batch(self, images_bgr: Sequence[Pixels]) -> ReadBatch:
        """Boxes on each picture; see `TextReader.read_batch`."""
        found = self._detector.detect_batch(images_bgr)
        pages = [
            _page(regions, (image.shape[1], image.shape[0]))
            for regions, image in zip(found.regions, images_bgr, strict=True)
        ]
        return ReadBatch(pages=pages, timing=found.timing)


def _page(regions: TextRegions, image_wh: tuple[int, int]) -> RecognizedText:
    words = [
        Box(xyxy=xyxy, level=TextLevel.WORD, text="", score=score)
        for xyxy, score in zip(envelopes(regions.quads, image_wh), regions.score.tolist(), strict=True)
    ]
    page = compose_page([[[words[word] for word in line] for line in block] for block in arrange(regions.quads)])
    return replace(page, text="", texts=("",) * len(page.texts))
