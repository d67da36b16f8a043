from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from deployments.models.doctr_torch.reader import DoctrReader
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.loading import load_model
from deployments.models.package import read_package
from deployments.settings import EngineSettings
from tests.unit.deployments.models.package_layouts.test_doctr_config import write

CPU = EngineSettings(device="cpu")

Pixels = NDArray[np.uint8]


class Recording:
    """A predictor that reads `A` in the left half of every page, and keeps what it was shown."""

    def __init__(self) -> None:
        self.calls: list[list[Pixels]] = []

    def __call__(self, pages: list[Pixels]) -> Any:
        self.calls.append(pages)
        word = SimpleNamespace(value="A", confidence=0.75, geometry=((0.0, 0.0), (0.5, 1.0)))
        page = SimpleNamespace(blocks=[SimpleNamespace(lines=[SimpleNamespace(words=[word])])])
        return SimpleNamespace(pages=[page] * len(pages))


def reader_of(folder: Path) -> tuple[DoctrReader, Recording]:
    predictor = Recording()
    return DoctrReader(read_package(write(folder)), predictor, (32, 128)), predictor


def test_all_pictures_of_a_call_are_shown_at_once_in_rgb(tmp_path: Path) -> None:
    reader, predictor = reader_of(tmp_path)
    blue = np.full((2, 4, 3), (255, 0, 7), dtype=np.uint8)
    grey = np.full((6, 8), 9, dtype=np.uint8)
    for picture in (blue, grey):
        picture.flags.writeable = False
    read = reader.read_batch([blue, grey]).pages
    ((first, second),) = predictor.calls
    assert_array_equal(first, np.full((2, 4, 3), (7, 0, 255)))
    assert_array_equal(second, np.full((6, 8, 3), 9))
    assert [page.xyxy[0].tolist() for page in read] == [[0, 0, 2, 2], [0, 0, 4, 6]]
    assert [page.text for page in read] == ["A", "A"]


def test_pictures_without_pixels_read_as_nothing(tmp_path: Path) -> None:
    reader, predictor = reader_of(tmp_path)
    empty = np.zeros((0, 5, 3), dtype=np.uint8)
    assert [page.text for page in reader.read_batch([empty, np.zeros((2, 2, 3), np.uint8), empty]).pages] == [
        "",
        "A",
        "",
    ]
    assert len(predictor.calls[0]) == 1
    assert [page.text for page in reader.read_batch([empty]).pages] == [""]
    assert reader.read_batch([]).pages == []
    assert len(predictor.calls) == 1


@pytest.mark.skipif(find_spec("doctr") is not None, reason="docTR is installed")
def test_who_asks_for_doctr_where_it_is_not_installed_is_told_the_extra(tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedModelError, match=r"is not installed here; install sightline with its extra `doctr`"
    ) as caught:
        load_model(read_package(write(tmp_path)), CPU)
    assert caught.value.model_id == "doctr/pretrained"


def test_weights_that_changed_since_they_were_declared_are_never_opened(tmp_path: Path) -> None:
    package = replace(read_package(write(tmp_path)), file_sums={"detection.safetensors": "0" * 64})
    with pytest.raises(ModelLoadError, match=r"detection.safetensors of 'doctr/pretrained' has sha256"):
        load_model(package, CPU)
