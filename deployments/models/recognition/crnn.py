"""The convolutional-recurrent text recognizers of docTR, run from ONNX."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import TextReading
from deployments.models.recognition.ctc import greedy_decode
from deployments.models.recognition.preprocessing import fill_batch
from deployments.models.recognition.recognized_line import RecognizedBatch, RecognizedLine
from deployments.models.recognition.text_location import TEXT_LOCATORS
from deployments.models.recognition.wide_crops import join_texts, split_wide
from deployments.models.timing import BatchTiming
from workflows.values.image import Pixels

ARCHITECTURES = frozenset({"crnn", "crnn_vgg16_bn", "crnn_mobilenet_v3_small", "crnn_mobilenet_v3_large"})
DEFAULT_INPUT_HW = (32, 128)


class TextRecognizer:
    """Reads the line of text on each crop of a batch. Holds no state between calls.

    The network runs once while the recognizer is made: that warms it, and shows what shape its output has.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's input, pixels.
        batch_size: the only batch that the graph takes; None when any will do.

    Raises:
        ModelLoadError: the package has no vocabulary, or the network does not fit it.
        UnsupportedModelError: it is no CRNN.
    """

    def __init__(self, package: ModelPackage, engine: Engine) -> None:
        if package.architecture not in ARCHITECTURES:
            raise UnsupportedModelError(
                f"model {package.model_id!r} has architecture {package.architecture!r}; text recognizers served here "
                f"are {', '.join(sorted(ARCHITECTURES))}",
                package.model_id,
            )
        self.package = package
        self._engine = engine
        self._reading = _text_reading(package)
        self._locate = TEXT_LOCATORS[self._reading.text_location]
        if len(engine.inputs) != 1 or len(engine.inputs[0].shape) != 4:
            inputs = ", ".join(f"{spec.name}{list(spec.shape)}" for spec in engine.inputs)
            raise ModelLoadError(
                f"the network of {package.model_id!r} takes {inputs}; a text recognizer takes one batch of crops "
                "[batch, 3, height, width]",
                package.model_id,
            )
        self._input = engine.inputs[0]
        self.batch_size = self._input.shape[0] or package.static_batch_size
        default_h, default_w = package.preprocessing.input_hw or DEFAULT_INPUT_HW
        self.input_hw = (self._input.shape[2] or default_h, self._input.shape[3] or default_w)
        shape = self._run(np.zeros((1, 3, *self.input_hw), dtype=np.float32)).shape
        classes = len(self._reading.vocabulary) + 1
        if len(shape) != 3 or shape[2] != classes:
            raise ModelLoadError(
                f"the network of {package.model_id!r} gives {list(shape)}; with {classes - 1} characters in its "
                f"vocabulary it must give [batch, time steps, {classes}], the blank last",
                package.model_id,
            )

    def read_batch(self, crops_bgr: Sequence[Pixels]) -> RecognizedBatch:
        """One line for each crop, read with one run of the network as long as its batch allows.

        Args:
            crops_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; a crop without pixels reads as
                nothing, and the batch may be empty.
        """
        started = time.perf_counter()
        windows = [self._locate(crop) for crop in crops_bgr]
        pieces = [
            split_wide(crop[top:bottom, left:right], self._reading) if right > left and bottom > top else None
            for crop, (left, top, right, bottom) in zip(crops_bgr, windows, strict=True)
        ]
        flat = [pixels for each in pieces if each is not None for pixels in each.pixels]
        batch = fill_batch(flat, self.input_hw, self.package.preprocessing)
        prepared = time.perf_counter()
        logits = self._run(batch) if flat else None
        ran = time.perf_counter()
        read = iter([] if logits is None else greedy_decode(logits, self._reading.vocabulary))
        lines: list[RecognizedLine] = []
        for each, window in zip(pieces, windows, strict=True):
            parts = [next(read) for _ in each.pixels] if each is not None else []
            last_overlap = 0.0 if each is None else each.last_overlap
            text = join_texts([part for part, _ in parts], self._reading.piece_overlap, last_overlap)
            confidence = sum(certainty for _, certainty in parts) / len(parts) if parts else 0.0
            lines.append(RecognizedLine(text=text, confidence=confidence if text else 0.0, xyxy=window))
        return RecognizedBatch(
            lines=lines,
            timing=BatchTiming(
                preprocess_ms=(prepared - started) * 1000,
                inference_ms=(ran - prepared) * 1000,
                postprocess_ms=(time.perf_counter() - ran) * 1000,
            ),
        )

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = run_batch(self._engine, batch, self.batch_size, self.package.max_batch_size)[0]
        return logits.astype(np.float32, copy=False)


def _text_reading(package: ModelPackage) -> TextReading:
    if package.text_reading is None:
        raise ModelLoadError(
            f"the package of {package.model_id!r} has no vocabulary; inference_config.json must hold the characters in "
            'the order of the network\'s classes, such as "vocabulary": "0123456789"',
            package.model_id,
        )
    return package.text_reading
