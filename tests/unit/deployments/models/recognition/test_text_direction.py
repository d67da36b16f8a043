from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.errors import ModelLoadError
from deployments.models.image_preprocessing import ImagePreprocessing, ResizeMode
from deployments.models.recognition.crnn import TextRecognizer
from deployments.models.recognition.text_direction import DirectedTextRecognizer
from tests.unit.deployments.models.builders import FakeEngine, package, text_package

PACKAGE = package(preprocessing=ImagePreprocessing(resize_mode=ResizeMode.STRETCH))


def top_is_dark(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, 2): a line whose top left corner is dark stands on its head."""
    dark = (batch[:, 0, 0, 0] < 0.5).astype(np.float32)
    return np.stack([1 - 0.95 * dark, 0.95 * dark], axis=1)


def top_left_level(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """(b, 1, 3): A when the top left corner is bright, else B; the third class is the blank."""
    bright = batch[:, 0, 0, 0] > 0.5
    return np.stack([50.0 * bright, 50.0 * ~bright, 0 * bright], axis=1)[:, None].astype(np.float32)


def half(bright_top: bool) -> NDArray[np.uint8]:
    pixels = np.zeros((8, 32, 3), dtype=np.uint8)
    pixels[:4] = 255 if bright_top else 0
    pixels[4:] = 0 if bright_top else 255
    pixels.flags.writeable = False
    return pixels


def directed() -> DirectedTextRecognizer:
    recognizer = TextRecognizer(text_package("AB"), FakeEngine(top_left_level))
    return DirectedTextRecognizer(PACKAGE, FakeEngine(top_is_dark), recognizer)


def test_lines_that_stand_on_their_heads_are_turned_before_they_are_read() -> None:
    lines = directed().read_batch([half(bright_top=True), half(bright_top=False)]).lines
    assert [line.text for line in lines] == ["A", "A"]
    assert_array_equal([line.xyxy for line in lines], [[0, 0, 32, 8]] * 2)


def test_an_empty_batch_reads_nothing() -> None:
    assert directed().read_batch([]).lines == []


def test_a_crop_without_pixels_leaves_the_others_alone() -> None:
    lines = directed().read_batch([half(bright_top=False), np.zeros((0, 4, 3), dtype=np.uint8)]).lines
    assert lines[0].text == "A"


def test_a_network_of_other_directions_is_refused() -> None:
    def four(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.zeros((len(batch), 4), dtype=np.float32)

    recognizer = TextRecognizer(text_package("AB"), FakeEngine(top_left_level))
    with pytest.raises(ModelLoadError, match=r"gives \[1, 4\]; it must give \[batch, 2\]"):
        DirectedTextRecognizer(PACKAGE, FakeEngine(four), recognizer)
