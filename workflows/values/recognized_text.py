"""What a text reader read on one image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class TextLevel(IntEnum):
    """What a text box surrounds. Values are the class ids of the wire."""

    BLOCK = 0
    LINE = 1
    WORD = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecognizedText:
    """Text of one image and where it stands.

    Attributes:
        text: words joined by blanks, lines by newlines, blocks by an empty line; empty when nothing was read.
        xyxy: (n, 4) float64 absolute pixels; for each line its words and then the line, behind the lines their block.
        level: (n,) int64, values of TextLevel.
        texts: n texts, of each box what stands in it, joined as `text` is.
        scores: (n,) float64, confidence of each box: of a line or a block the lowest of its words, 0 to 1.
        confidence: lowest confidence of the words, 0 to 1; 0 when nothing was read.
    """

    text: str
    xyxy: NDArray[np.float64]
    level: NDArray[np.int64]
    texts: tuple[str, ...]
    scores: NDArray[np.float64]
    confidence: float

    @classmethod
    def nothing(cls) -> RecognizedText:
        """An image without text."""
        none = np.zeros(0)
        return cls(text="", xyxy=none.reshape(0, 4), level=none.astype(np.int64), texts=(), scores=none, confidence=0.0)
