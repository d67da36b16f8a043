"""What reads the text on pictures of any size, however it does so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from deployments.models.package import ModelPackage
from deployments.models.timing import BatchTiming
from workflows.values.image import Pixels
from workflows.values.recognized_text import RecognizedText


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBatch:
    """Answer to one batch.

    Attributes:
        pages: one for each picture, in order.
        timing: where the time went.
    """

    pages: list[RecognizedText]
    timing: BatchTiming


class TextReader(ABC):
    """Reads whole pictures: crops of one line as well as pages.

    Attributes:
        package: where it came from.
        input_hw: height and width of what its recognizer takes, pixels.
        batch_size: the only batch that its recognizer takes; None when any will do.
    """

    package: ModelPackage
    input_hw: tuple[int, int]
    batch_size: int | None

    @abstractmethod
    def read_batch(self, images_bgr: Sequence[Pixels]) -> ReadBatch:
        """Text on each picture.

        Args:
            images_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; a picture without pixels reads
                as nothing, and the batch may be empty.
        """
