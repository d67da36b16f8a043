"""What docTR read on a page, as every reader of pages gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from deployments.models.page_reading.page import Box, compose_page
from workflows.values.recognized_text import RecognizedText, TextLevel

Corner = tuple[float, float]


class DoctrWord(Protocol):
    """`doctr.io.Word`; its geometry is the top left and the bottom right corner, in parts of the page."""

    value: str
    confidence: float
    geometry: tuple[Corner, Corner]


class DoctrLine(Protocol):
    """`doctr.io.Line`."""

    words: Sequence[DoctrWord]


class DoctrBlock(Protocol):
    """`doctr.io.Block`."""

    lines: Sequence[DoctrLine]


class DoctrPage(Protocol):
    """`doctr.io.Page` of a predictor that takes pages to be straight."""

    blocks: Sequence[DoctrBlock]


def text_of_page(page: DoctrPage, image_wh: tuple[int, int]) -> RecognizedText:
    """The words of a page in docTR's order, in pixels.

    Regions on which nothing was read are no words; lines and blocks of them alone are left out.

    Args:
        page: what docTR read.
        image_wh: of the picture that it read.
    """
    blocks = []
    for block in page.blocks:
        lines = [[_box(word, image_wh) for word in line.words if word.value.strip()] for line in block.lines]
        blocks.append([line for line in lines if line])
    return compose_page([block for block in blocks if block])


def _box(word: DoctrWord, image_wh: tuple[int, int]) -> Box:
    corners = np.clip(np.array(word.geometry, dtype=np.float64), 0, 1) * image_wh
    score = float(np.clip(word.confidence, 0, 1))  # a softmax in float32 may sum to a little more
    return Box(xyxy=corners.reshape(4), level=TextLevel.WORD, text=word.value.strip(), score=score)
