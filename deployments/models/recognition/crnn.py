"""Text recognizers whose network gives a character for each step along the line, run from ONNX."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deployments.models.engines.batches import run_batch
from deployments.models.engines.engine import Engine
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.image_preprocessing import ResizeMode
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.contents import TextReading
from deployments.models.recognition.ctc import greedy_decode
from deployments.models.recognition.preprocessing import fill_batch
from deployments.models.recognition.recognized_line import RecognizedBatch, RecognizedLine
from deployments.models.recognition.text_location import TEXT_LOCATORS, Window
from deployments.models.recognition.wide_crops import join_texts, split_wide
from deployments.models.timing import BatchTiming
from workflows.values.image import Pixels

ARCHITECTURES = frozenset({"crnn", "crnn_vgg16_bn", "crnn_mobilenet_v3_small", "crnn_mobilenet_v3_large", "pp_ocr_ctc"})
DEFAULT_INPUT_HW = (32, 128)

CORNERS = "corners"
"""Output of a graph that frames its line itself: (batch, 4, 2), top left then clockwise, 0 to 1 across the crop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """What was read on one piece of a crop; `corners` as the output of that name, None when there is none."""

    text: str
    confidence: float
    corners: NDArray[np.float32] | None


class TextRecognizer:
    """Reads the line of text on each crop of a batch. Holds no state between calls.

    The network runs once while the recognizer is made: that warms it, and shows what shape its output has.

    Attributes:
        package: where it came from.
        input_hw: height and width of the network's input, pixels.
        batch_size: the only batch that the graph takes; None when any will do.
        reading: what the package says of texts.

    Raises:
        ModelLoadError: the package has no vocabulary, or the network does not fit it.
        UnsupportedModelError: it is of another architecture.
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
        self.reading = _text_reading(package)
        self._locate = TEXT_LOCATORS[self.reading.text_location]
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
        names = [output.name for output in engine.outputs]
        self._corners_at = names.index(CORNERS) if CORNERS in names[1:] else None
        self._check_outputs()

    def read_batch(self, crops_bgr: Sequence[Pixels]) -> RecognizedBatch:
        """One line for each crop, read with one run of the network as long as its batch allows.

        Args:
            crops_bgr: (h, w, 3) BGR or (h, w) grey uint8, of any size, not written to; a crop without pixels reads as
                nothing, and the batch may be empty.
        """
        started = time.perf_counter()
        windows = [self._locate(crop) for crop in crops_bgr]
        pieces = [
            split_wide(crop[top:bottom, left:right], self.reading) if right > left and bottom > top else None
            for crop, (left, top, right, bottom) in zip(crops_bgr, windows, strict=True)
        ]
        flat = [pixels for each in pieces if each is not None for pixels in each.pixels]
        read: list[_Piece | None] = [None] * len(flat)
        inference_s = decoding_s = 0.0
        for width, members in self._by_width(flat).items():
            batch = fill_batch(
                [flat[member] for member in members], (self.input_hw[0], width), self.package.preprocessing
            )
            before = time.perf_counter()
            outputs = run_batch(self._engine, batch, self.batch_size, self.package.max_batch_size)
            after = time.perf_counter()
            for member, piece in zip(members, self._decode(outputs), strict=True):
                read[member] = piece
            inference_s += after - before
            decoding_s += time.perf_counter() - after
        in_order = iter(piece for piece in read if piece is not None)
        lines: list[RecognizedLine] = []
        for each, window in zip(pieces, windows, strict=True):
            parts = [next(in_order) for _ in each.pixels] if each is not None else []
            last_overlap = 0.0 if each is None else each.last_overlap
            text = join_texts([part.text for part in parts], self.reading.piece_overlap, last_overlap)
            confidence = sum(part.confidence for part in parts) / len(parts) if parts else 0.0
            framed = parts[0].corners if len(parts) == 1 else None
            lines.append(
                RecognizedLine(
                    text=text,
                    confidence=confidence if text else 0.0,
                    xyxy=window if framed is None else within(window, framed),
                )
            )
        total_s = time.perf_counter() - started
        return RecognizedBatch(
            lines=lines,
            timing=BatchTiming(
                preprocess_ms=(total_s - inference_s - decoding_s) * 1000,
                inference_ms=inference_s * 1000,
                postprocess_ms=decoding_s * 1000,
            ),
        )

    def _by_width(self, pieces: Sequence[Pixels]) -> dict[int, list[int]]:
        """Positions of pieces by the width of the input they are read on: one for all, or near their own."""
        members: defaultdict[int, list[int]] = defaultdict(list)
        for position, piece in enumerate(pieces):
            members[self._input_width(piece)].append(position)
        return members

    def _input_width(self, piece: Pixels) -> int:
        steps = self.package.preprocessing
        if self._input.shape[3] is not None or steps.size_divisor == 1 or steps.resize_mode is ResizeMode.STRETCH:
            return self.input_hw[1]
        height, width = (int(side) for side in piece.shape[:2])
        needed = -(-self.input_hw[0] * width // (height * steps.size_divisor))
        # Flatter pieces are shrunk until they fit: one row of a picture would else ask for any width.
        most = math.ceil(self.input_hw[0] * self.reading.critical_aspect_ratio / steps.size_divisor)
        return min(needed, most) * steps.size_divisor

    def _decode(self, outputs: Sequence[NDArray[Any]]) -> list[_Piece]:
        reading = self.reading
        read = greedy_decode(
            outputs[0].astype(np.float32, copy=False),
            reading.vocabulary,
            blank_first=reading.blank == "first",
            probabilities=reading.probabilities,
            mean_confidence=reading.confidence == "mean",
        )
        corners = [None] * len(read) if self._corners_at is None else list(outputs[self._corners_at])
        return [
            _Piece(text=text, confidence=confidence, corners=each)
            for (text, confidence), each in zip(read, corners, strict=True)
        ]

    def _check_outputs(self) -> None:
        blank = np.zeros((1, 3, *self.input_hw), dtype=np.float32)
        shapes = [output.shape for output in run_batch(self._engine, blank, self.batch_size)]
        classes = len(self.reading.vocabulary) + 1
        if len(shapes[0]) != 3 or shapes[0][2] != classes:
            raise ModelLoadError(
                f"the network of {self.package.model_id!r} gives {list(shapes[0])}; with {classes - 1} characters in "
                f"its vocabulary it must give [batch, time steps, {classes}], the blank {self.reading.blank}",
                self.package.model_id,
            )
        if self._corners_at is not None and shapes[self._corners_at] != (1, 4, 2):
            raise ModelLoadError(
                f"the network of {self.package.model_id!r} gives {CORNERS} of {list(shapes[self._corners_at])}; it "
                "must give [batch, 4, 2]",
                self.package.model_id,
            )


def within(window: Window, corners: NDArray[np.float32]) -> Window:
    """The upright box round a frame, whole pixels, none outside the window and at least one inside it.

    Args:
        window: what the network was shown.
        corners: (4, 2) corners of the frame, 0 to 1 across the window.
    """
    left, top, right, bottom = window
    size = np.array([right - left, bottom - top])
    low = np.clip(np.rint(corners.min(axis=0) * size), 0, size - 1).astype(int)
    high = np.clip(np.rint(corners.max(axis=0) * size), low + 1, size).astype(int)
    return left + int(low[0]), top + int(low[1]), left + int(high[0]), top + int(high[1])


def _text_reading(package: ModelPackage) -> TextReading:
    if package.text_reading is None:
        raise ModelLoadError(
            f"the package of {package.model_id!r} has no vocabulary; inference_config.json must hold the characters in "
            'the order of the network\'s classes, such as "vocabulary": "0123456789"',
            package.model_id,
        )
    return package.text_reading
