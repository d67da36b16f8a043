from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.loading import load_model
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.models.page_reading.text_reader import TextReader
from deployments.settings import EngineSettings
from workflows.ports import PredictionOptions
from workflows.values.image import Pixels

SAMPLES = Path(SHIPPED_DIRECTORY) / "samples"
EXPECTED = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
TWO_LINE_PLATE_XYXY = (688, 525, 822, 610)
PADDED_PX = (100, 20)  # to each side: what the tutorial's workflow puts round plates
CPU = EngineSettings(device="cpu")

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def object_detector() -> ObjectDetectionModel:
    model = load_model(discover_packages(SHIPPED_DIRECTORY)["vehicle-registration-plates-trudk/2"], CPU)
    assert isinstance(model, ObjectDetectionModel)
    return model


@pytest.fixture(scope="module")
def text_reader() -> TextReader:
    packages = discover_packages(SHIPPED_DIRECTORY)
    model = load_model(packages["doctr/default"], CPU, others=packages)
    assert isinstance(model, TextReader)
    return model


def padded_crops(bgr: Pixels, xyxy: np.ndarray) -> list[Pixels]:
    grown = xyxy + np.array([-PADDED_PX[0], -PADDED_PX[1], *PADDED_PX])
    rows = np.clip(np.round(grown), 0, [bgr.shape[1], bgr.shape[0]] * 2).astype(int)
    return [bgr[top:bottom, left:right] for left, top, right, bottom in rows]


def test_there_are_photographs_of_no_plate_of_one_and_of_two():
    assert {0, 1, 2} <= {len(each["plates"]) for each in EXPECTED.values()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_plate_of_a_sample_photograph_is_found_and_read(object_detector, text_reader, name):
    bgr = cv2.imread(str(SAMPLES / name), cv2.IMREAD_COLOR)
    found = object_detector.predict_batch([bgr], [PredictionOptions()]).predictions[0]
    pages = text_reader.read_batch(padded_crops(bgr, found.xyxy)).pages
    assert sorted("".join(page.text.split()) for page in pages) == sorted(EXPECTED[name]["plates"])


def test_a_plate_of_two_lines_is_read_as_two(text_reader):
    bgr = cv2.imread(str(SAMPLES / "two_lines.jpg"), cv2.IMREAD_COLOR)
    left, top, right, bottom = TWO_LINE_PLATE_XYXY
    [page] = text_reader.read_batch([bgr[top - 10 : bottom + 10, left - 20 : right + 20]]).pages
    assert ["".join(line.split()) for line in page.text.split("\n")] == ["SL09", "KTV"]


def test_photographs_are_decoded_at_half_their_size_for_the_plate_detector(
    object_detector: ObjectDetectionModel,
) -> None:
    assert object_detector.needed_wh((1280, 720), PredictionOptions()) == (640, 360)
