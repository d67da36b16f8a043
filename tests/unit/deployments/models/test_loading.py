from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.testing import assert_array_equal

from deployments.models.detection.object_detection_model import ObjectDetectionModel
from deployments.models.errors import ModelLoadError, UnsupportedModelError
from deployments.models.loading import load_model
from deployments.models.package import ModelPackage, read_package
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages
from deployments.models.page_reading.text_reader import TextReader
from deployments.settings import EngineSettings
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_brightness_map,
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


def test_weights_of_an_opset_that_the_runtime_does_not_know_are_refused_with_those_that_it_knows(
    tmp_path: Path,
) -> None:
    package = read_package(write_package(tmp_path / "plates" / "1"))
    network = onnx.load(package.weights_path)
    network.opset_import[0].version = 999
    package.weights_path.write_bytes(network.SerializeToString())
    with pytest.raises(
        ModelLoadError, match=r"do not load: they have opset 999, .*; export with opset \d+ or less$"
    ) as caught:
        load_model(package, CPU)
    assert "onnxruntime" not in caught.value.message


def test_a_refusal_of_the_runtime_is_told_without_a_place_in_its_sources(tmp_path: Path) -> None:
    package = read_package(write_package(tmp_path / "plates" / "1"))
    network = onnx.load(package.weights_path)
    network.ir_version = 999
    package.weights_path.write_bytes(network.SerializeToString())
    with pytest.raises(ModelLoadError, match=r"do not load: Fail: Unsupported model IR version: 999, max supported"):
        load_model(package, CPU)


def test_weights_that_changed_since_they_were_declared_are_never_opened(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    package = read_package(write_package(folder, {"sha256": {"weights.onnx": digest}}))
    assert load_model(package, CPU).package is package
    write_add_graph(package.weights_path)
    with pytest.raises(
        ModelLoadError, match=r"of 'plates/1' has sha256 .* damaged or was replaced while the server ran"
    ):
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
    package = replace(read_package(write_package(tmp_path / "a" / "1")), task_type="depth-estimation")
    with pytest.raises(UnsupportedModelError, match=r"served here are .*text-detection, text-recognition"):
        load_model(package, CPU)


@pytest.mark.weights
def test_every_shipped_model_loads_and_answers() -> None:
    packages = discover_packages(SHIPPED_DIRECTORY)
    detector = detector_of(packages["vehicle-registration-plates-trudk/2"])
    recognizer = load_model(packages["doctr/default"], CPU, packages)
    assert isinstance(recognizer, TextReader)
    assert len(detector.predict_batch([PICTURE, PICTURE], [PredictionOptions()] * 2).predictions) == 2
    assert len(recognizer.read_batch([PICTURE, PICTURE]).pages) == 2


def write_text_recognizer(folder: Path, detector_id: str | None) -> Path:
    """Reads AB on every crop, and is not sure of it."""
    reads = np.zeros((2, 3), dtype=np.float32)
    reads[[0, 1], [0, 1]] = 0.5
    detection = None if detector_id is None else {"model_id": detector_id}
    write_package(
        folder,
        {"model_architecture": "crnn_vgg16_bn", "task_type": "text-recognition"},
        {"vocabulary": "AB", "text_detection": detection},
        class_names=None,
    )
    write_constant_detector(folder / "weights.onnx", reads)
    return folder


def write_text_detector(folder: Path) -> Path:
    """White is text."""
    write_package(
        folder,
        {"model_architecture": "db_resnet50", "task_type": "text-detection"},
        {"post_processing": {"type": "sigmoid", "fused": True}},
        class_names=None,
    )
    write_brightness_map(folder / "weights.onnx")
    return folder


def text_reader_over(*folders: Path) -> TextReader:
    packages = {package.model_id: package for package in map(read_package, folders)}
    reader = load_model(packages["doctr/default"], CPU, others=packages)
    assert isinstance(reader, TextReader)
    return reader


def test_a_text_recognizer_reads_pages_with_the_detector_that_it_names(tmp_path: Path) -> None:
    recognizer = write_text_recognizer(tmp_path / "doctr" / "default", "doctr/detection")
    reader = text_reader_over(recognizer, write_text_detector(tmp_path / "doctr" / "detection"))
    page = np.zeros((320, 320, 3), dtype=np.uint8)
    page[40:60, 40:120] = page[40:60, 140:220] = page[75:95, 40:120] = 255
    [read] = reader.read_batch([page]).pages
    assert read.text == "AB AB\nAB"


def test_a_text_recognizer_without_a_detector_takes_every_picture_for_a_line(tmp_path: Path) -> None:
    reader = text_reader_over(write_text_recognizer(tmp_path / "doctr" / "default", None))
    [read] = reader.read_batch([np.zeros((320, 320, 3), dtype=np.uint8)]).pages
    assert read.text == "AB"


def test_a_text_detector_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="names 'doctr/detection' as its text detector, and there is no such"):
        text_reader_over(write_text_recognizer(tmp_path / "doctr" / "default", "doctr/detection"))


def test_another_model_is_no_text_detector(tmp_path: Path) -> None:
    recognizer = write_text_recognizer(tmp_path / "doctr" / "default", "plates/1")
    with pytest.raises(ModelLoadError, match="'plates/1' as its text detector, which is for 'object-detection'"):
        text_reader_over(recognizer, write_package(tmp_path / "plates" / "1"))
