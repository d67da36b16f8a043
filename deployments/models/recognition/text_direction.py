"""Lines that stand on their heads, turned before they are read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError
from deployments.models.package import ModelPackage
from deployments.models.recognition.crnn import TextRecognizer
from deployments.models.recognition.preprocessing import fill_batch
from deployments.models.recognition.recognized_line import RecognizedBatch, RecognizedLine
from workflows.values.image import Pixels

TURNED = 1
"""Class of a line that stands on its head; 0 is one that stands upright."""

SURE_FROM = 0.9
"""A line is turned only when it surely stands on its head: most do not."""

INPUT_HW = (48, 192)
NO_CROP = np.zeros((1, 1, 3), dtype=np.uint8)


class DirectedTextRecognizer:
    """A recognizer behind a network that tells which lines stand on their heads.

    Source: rapidocr 3.10, ch_ppocr_cls (behaviour).

    Attributes:
        input_hw: of the recognizer.
        batch_size: of the recognizer.

    Raises:
        ModelLoadError: the network does not tell two directions apart.
    """

    def __init__(self, package: ModelPackage, classifier: Engine, recognizer: TextRecognizer) -> None:
        self._package = package
        self._classifier = classifier
        self._recognizer = recognizer
        self.input_hw = recognizer.input_hw
        self.batch_size = recognizer.batch_size
        shape = self._probabilities([NO_CROP]).shape
        if shape != (1, 2):
            raise ModelLoadError(
                f"the network for directions of {recognizer.package.model_id!r} gives {list(shape)}; it must give "
                "[batch, 2]: upright, on its head",
                recognizer.package.model_id,
            )

    def read_batch(self, crops_bgr: Sequence[Pixels]) -> RecognizedBatch:
        """One line for each crop; see `TextRecognizer.read_batch`."""
        if not crops_bgr:
            return self._recognizer.read_batch(crops_bgr)
        started = time.perf_counter()
        shown = [crop if crop.size else NO_CROP for crop in crops_bgr]
        turned = self._probabilities(shown)[:, TURNED] > SURE_FROM
        upright = [np.rot90(crop, 2) if turn else crop for crop, turn in zip(shown, turned, strict=True)]
        spent_ms = (time.perf_counter() - started) * 1000
        read = self._recognizer.read_batch(upright)
        return RecognizedBatch(
            lines=[
                _turned_back(line, crop) if turn else line
                for line, crop, turn in zip(read.lines, crops_bgr, turned, strict=True)
            ],
            timing=replace(read.timing, inference_ms=read.timing.inference_ms + spent_ms),
        )

    def _probabilities(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        batch = fill_batch(crops, INPUT_HW, self._package.preprocessing)
        output: NDArray[np.float32] = run_batch(self._classifier, batch, None, self._package.max_batch_size)[0]
        return output


def _turned_back(line: RecognizedLine, crop: Pixels) -> RecognizedLine:
    height, width = crop.shape[:2]
    left, top, right, bottom = line.xyxy
    return replace(line, xyxy=(width - right, height - bottom, width - left, height - top))
