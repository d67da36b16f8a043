"""The words of a page, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deployments.models.recognition.recognized_line import RecognizedLine
from workflows.values.recognized_text import RecognizedText, TextLevel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """A word, a line or a block.

    Attributes:
        xyxy: (4,) float64, pixels.
        level: which of the three.
        text: what stands in it.
        score: 0 to 1.
    """

    xyxy: NDArray[np.float64]
    level: TextLevel
    text: str
    score: float


def compose_page(blocks: Sequence[Sequence[Sequence[Box]]]) -> RecognizedText:
    """A page of words that are in order.

    The boxes of the page are the words of a line, the line, and behind the lines of a block the block.

    Args:
        blocks: words by block and line; no line and no block is empty.
    """
    boxes: list[Box] = []
    of_blocks: list[Box] = []
    for block in blocks:
        lines = []
        for words in block:
            lines.append(_joined(words, TextLevel.LINE, " "))
            boxes.extend([*words, lines[-1]])
        of_blocks.append(_joined(lines, TextLevel.BLOCK, "\n"))
        boxes.append(of_blocks[-1])
    if not boxes:
        return RecognizedText.nothing()
    return RecognizedText(
        text="\n\n".join(block.text for block in of_blocks),
        xyxy=np.stack([box.xyxy for box in boxes]),
        level=np.array([box.level for box in boxes], dtype=np.int64),
        texts=tuple(box.text for box in boxes),
        scores=np.array([box.score for box in boxes], dtype=np.float64),
        confidence=min(block.score for block in of_blocks),
    )


def page_of_line(line: RecognizedLine) -> RecognizedText:
    """A picture of one line: one word, one line and one block, all in the same place; nothing when nothing was read."""
    if not line.text:
        return RecognizedText.nothing()
    word = Box(xyxy=np.array(line.xyxy, dtype=np.float64), level=TextLevel.WORD, text=line.text, score=line.confidence)
    return compose_page([[[word]]])


def _joined(boxes: Sequence[Box], level: TextLevel, between: str) -> Box:
    xyxy = np.stack([box.xyxy for box in boxes])
    return Box(
        xyxy=np.concatenate([xyxy[:, :2].min(axis=0), xyxy[:, 2:].max(axis=0)]),
        level=level,
        text=between.join(box.text for box in boxes),
        score=min(box.score for box in boxes),
    )
