from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from deployments.models.engines.engine import Engine
from deployments.models.engines.onnx_runtime import OnnxRuntimeEngine
from deployments.models.errors import ModelLoadError
from deployments.models.loading import load_model
from deployments.models.package import ModelPackage
from deployments.models.page_reading.text_reader import TextReader
from deployments.models.pp_ocr.packages import (
    DETECTION_FILE,
    DIRECTION_FILE,
    RECOGNITION_FILE,
    pp_ocr_packages,
)
from deployments.models.pp_ocr.reader import pp_ocr_reader
from deployments.settings import EngineSettings
from tests.unit.deployments.models.builders import write_brightness_map, write_constant_detector

CPU = EngineSettings(device="cpu")


def write_parts(directory: Path, *, reads: NDArray[np.float32], upside_down: float = 0.0) -> Path:
    """White is text, every line reads the same, and stands on its head with the same probability."""
    write_brightness_map(directory / DETECTION_FILE)
    write_constant_detector(
        directory / DIRECTION_FILE, np.array([1 - upside_down, upside_down], dtype=np.float32), hw=("h", "w")
    )
    write_constant_detector(directory / RECOGNITION_FILE, reads, hw=(48, "w"))
    return directory


def open_parts(directory: Path, characters: str | None):
    """Opens the files of a directory; the recognizer's knows its characters."""

    class Named(OnnxRuntimeEngine):
        @property
        def metadata(self) -> Mapping[str, str]:
            return {} if characters is None else {"character": characters}

    def open_part(part: ModelPackage) -> Engine:
        return Named(directory / part.weights_path.name, CPU)

    return open_part


# blank, A, B, and the blank between words that the list of characters leaves out
READS_B = np.array([[0, 0, 0.98, 0.02], [0.96, 0.02, 0, 0.02]], dtype=np.float32)


def reader_of(model_id: str, directory: Path, **parts: Any) -> TextReader:
    write_parts(directory, reads=READS_B, **parts)
    package = replace(pp_ocr_packages()[model_id], weights_path=directory / DETECTION_FILE)
    return pp_ocr_reader(package, open_parts(directory, "A\nB"))


def page(*boxes: tuple[int, int, int, int], wh: tuple[int, int] = (64, 64)) -> NDArray[np.uint8]:
    pixels = np.zeros((wh[1], wh[0], 3), dtype=np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 255
    return pixels


def test_the_characters_come_from_the_network_and_the_blank_is_the_first_class(tmp_path: Path) -> None:
    [read] = reader_of("pp_ocr/none-small", tmp_path).read_batch([page(wh=(64, 16))]).pages
    assert read.text == "B"
    assert read.confidence == pytest.approx(0.98)


def test_a_network_that_does_not_say_its_characters_is_refused(tmp_path: Path) -> None:
    write_parts(tmp_path, reads=READS_B)
    package = replace(pp_ocr_packages()["pp_ocr/none-small"], weights_path=tmp_path / RECOGNITION_FILE)
    with pytest.raises(ModelLoadError, match="does not say which characters it knows"):
        pp_ocr_reader(package, open_parts(tmp_path, None))


INSTALLED = pp_ocr_packages()["pp_ocr/small-small"].weights_path.is_file()
needs_rapidocr = pytest.mark.skipif(
    not INSTALLED, reason="rapidocr is not installed: install sightline with its extra `pp-ocr`"
)


def printed(*lines: str, turned: bool = False) -> NDArray[np.uint8]:
    """Dark letters of OpenCV's own face on white."""
    pixels = np.full((90 * len(lines) + 60, 640, 3), 255, dtype=np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(pixels, line, (40, 90 * row + 85), cv2.FONT_HERSHEY_DUPLEX, 1.6, (20, 20, 20), 3, cv2.LINE_AA)
    return cv2.rotate(pixels, cv2.ROTATE_180).astype(np.uint8) if turned else pixels


@pytest.fixture(scope="module")
def served() -> Mapping[str, TextReader]:
    packages = pp_ocr_packages()
    return {name: load_model(package, CPU) for name, package in packages.items()}  # type: ignore[misc]


@needs_rapidocr
@pytest.mark.weights
def test_the_real_networks_read_a_page_line_by_line(served: Mapping[str, TextReader]) -> None:
    [read] = served["pp_ocr/small-small"].read_batch([printed("INVOICE 2417", "Total 38.50", "Paid")]).pages
    assert read.text == "INVOICE 2417\nTotal 38.50\nPaid"


@needs_rapidocr
@pytest.mark.weights
def test_the_real_networks_read_a_line_that_stands_on_its_head(served: Mapping[str, TextReader]) -> None:
    [read] = served["pp_ocr/none-small"].read_batch([printed("RK 123 AB", turned=True)[20:130]]).pages
    assert read.text == "RK 123 AB"


@needs_rapidocr
@pytest.mark.weights
def test_without_a_recognizer_boxes_have_no_texts(served: Mapping[str, TextReader]) -> None:
    [read] = served["pp_ocr/small-none"].read_batch([printed("INVOICE 2417", "Total 38.50")]).pages
    assert (read.text, set(read.texts)) == ("", {""})
    assert np.count_nonzero(read.level == 1) == 2


@needs_rapidocr
@pytest.mark.weights
def test_a_blank_page_has_no_text(served: Mapping[str, TextReader]) -> None:
    [read] = served["pp_ocr/small-small"].read_batch([np.full((480, 480, 3), 255, dtype=np.uint8)]).pages
    assert (read.text, len(read.texts)) == ("", 0)
