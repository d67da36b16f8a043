from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.loading import load_model
from deployments.models.package import SHIPPED_DIRECTORY, ModelPackage, discover_packages, read_package
from deployments.models.recognition.crnn import TextRecognizer
from deployments.settings import EngineSettings
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_constant_detector,
    write_package,
    yolov8_output,
)
from workflows.ports import PredictionOptions

CPU = EngineSettings(device="cpu")
PICTURE = np.zeros((64, 128, 3), dtype=np.uint8)


def detector_of(package: ModelPackage) -> ObjectDetectionModel:
    model = load_model(package, CPU)
    assert isinstance(model, ObjectDetectionModel)
    return model


@pytest.mark.parametrize("batch", ["b", 2])
def test_a_package_on_disk_becomes_a_detector_that_answers(tmp_path: Path, batch: int | str) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    write_constant_detector(folder / "weights.onnx", yolov8_output([(32, 32, 16, 8, 0.9)]), batch)
    detector = detector_of(read_package(folder))
    found = detector.predict_batch([PICTURE] * 3, [PredictionOptions()] * 3).predictions
    # letterboxed from 128x64: half the size, 16 rows above
    assert [boxes.xyxy.tolist() for boxes in found] == [[[48, 24, 80, 40]]] * 3
    assert detector.batch_size == (None if batch == "b" else 2)


def test_bare_weights_are_told_by_their_output(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "1"
    folder.mkdir(parents=True)
    (folder / "class_names.txt").write_text("plate\n")
    write_constant_detector(folder / "weights.onnx", yolov8_output([(32, 32, 16, 8, 0.9)]))
    boxes = detector_of(read_package(folder)).predict_batch([PICTURE], [PredictionOptions()]).predictions[0]
    assert_array_equal(boxes.xyxy, [[48, 24, 80, 40]])


@pytest.mark.parametrize("weights", [b"\x08\x08", b"\x08\x08\x12\xff\xff\xff\xff\x07", b"not a network at all"])
def test_weights_that_do_not_load_are_an_error_of_their_own(tmp_path: Path, weights: bytes) -> None:
    package = read_package(write_package(tmp_path / "plates" / "1"))
    package.weights_path.write_bytes(weights)
    with pytest.raises(ModelLoadError, match="weights of 'plates/1' do not load") as caught:
        load_model(package, CPU)
    assert caught.value.model_id == "plates/1"
    assert str(tmp_path) not in caught.value.message


def test_weights_that_changed_since_they_were_declared_are_never_opened(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    package = read_package(write_package(folder, {"sha256": {"weights.onnx": digest}}))
    assert load_model(package, CPU).package is package
    write_add_graph(package.weights_path)
    with pytest.raises(ModelLoadError, match="damaged or was replaced while the server ran"):
        load_model(package, CPU)
    package.weights_path.unlink()
    with pytest.raises(ModelLoadError, match="cannot be read: No such file") as caught:
        load_model(package, CPU)
    assert str(tmp_path) not in caught.value.message


def test_a_network_for_something_else_is_an_error_of_its_own(tmp_path: Path) -> None:
    package = read_package(write_package(tmp_path / "plates" / "1"))
    write_add_graph(package.weights_path)
    with pytest.raises(ModelLoadError, match="takes one batch of pictures"):
        load_model(package, CPU)


def test_a_task_that_nothing_serves_is_refused_with_those_that_are(tmp_path: Path) -> None:
    package = replace(read_package(write_package(tmp_path / "a" / "1")), task_type="classification")
    with pytest.raises(UnsupportedModelError, match="served here are object-detection, text-recognition"):
        load_model(package, CPU)


@pytest.mark.weights
def test_every_shipped_model_loads_and_answers() -> None:
    packages = discover_packages(SHIPPED_DIRECTORY)
    detector = detector_of(packages["vehicle-registration-plates-trudk/2"])
    recognizer = load_model(packages["doctr/default"], CPU)
    assert isinstance(recognizer, TextRecognizer)
    assert len(detector.predict_batch([PICTURE, PICTURE], [PredictionOptions()] * 2).predictions) == 2
    assert len(recognizer.read_batch([PICTURE, PICTURE]).lines) == 2
