from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
import onnx
import pytest

from deployments.models.store.blobs import Blobs
from deployments.models.store.named_files import files_named_in
from deployments.models.store.sources import Source
from deployments.models.store.staging import GIBIBYTE, stage
from tests.unit.deployments.models.builders import write_constant_detector, write_package, yolov8_output

VARIANTS = {"weights.fp16.onnx", "weights.int8.onnx"}
DOCTR = {"detection": "db_resnet50", "recognition": "crnn_vgg16_bn"}


class Unlisted(Source):
    """Files in memory, of which nobody says which there are, as on a web server."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(f"memory://{name}/plates/2")
        self._is_web = True
        self.asked: list[str] = []
        for path in folder.rglob("*"):
            if path.is_file():
                at = f"/{name}/plates/2/{path.relative_to(folder).as_posix()}"
                fsspec.filesystem("memory").pipe(at, path.read_bytes())

    def _file_system(self) -> Any:
        return fsspec.filesystem("memory")

    def _info(self, text: str) -> Mapping[str, Any]:
        self.asked.append(text)
        return super()._info(text)


def staged_of(tmp_path: Path, source: Source, folder_name: str = "folder") -> set[str]:
    folder = tmp_path / folder_name
    folder.mkdir()
    return set(stage(source, folder, Blobs(tmp_path / "blobs"), tmp_path / "record.json", GIBIBYTE))


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, set()),
        ({"doctr": DOCTR}, {"detection.safetensors", "recognition.safetensors"}),
        ({"doctr": {**DOCTR, "detection_weights": "d.safetensors"}}, {"d.safetensors", "recognition.safetensors"}),
        ({"sha256": {"weights.onnx": "0", "extra.bin": "0"}}, {"weights.onnx", "extra.bin"}),
        ({"triton": {"root_certificates": "authority.pem"}}, {"authority.pem"}),
        ({"triton": {"root_certificates": "../authority.pem"}}, set()),
        ({"sha256": ["a"], "doctr": "b", "triton": 3}, set()),
    ],
)
def test_the_configuration_names_files(tmp_path: Path, config: dict[str, Any], named: set[str]) -> None:
    (tmp_path / "model_config.json").write_text(json.dumps(config))
    assert files_named_in(tmp_path) == named


def test_weights_name_those_of_other_arithmetic_and_the_files_of_their_tensors(tmp_path: Path) -> None:
    assert files_named_in(tmp_path) == set()
    weights = write_constant_detector(tmp_path / "weights.onnx", yolov8_output([]))
    assert files_named_in(tmp_path) == VARIANTS
    (tmp_path / "a").mkdir()
    onnx.save(onnx.load(weights), weights, save_as_external_data=True, location="a/weights.data", size_threshold=0)
    assert files_named_in(tmp_path) == {*VARIANTS, "a/weights.data"}
    (tmp_path / "weights.int8.onnx").write_bytes(weights.read_bytes())
    assert files_named_in(tmp_path) == {*VARIANTS, "a/weights.data"}


def test_a_configuration_that_is_no_json_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "model_config.json").write_text("{")
    assert files_named_in(tmp_path) == set()


def test_of_a_folder_that_lists_nothing_everything_that_is_named_comes(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a", {"sha256": {"notes.txt": "0"}})
    weights = folder / "weights.onnx"
    (folder / "weights.fp16.onnx").write_bytes(weights.read_bytes())
    onnx.save(onnx.load(weights), weights, save_as_external_data=True, location="weights.data", size_threshold=0)
    (folder / "notes.txt").write_text("named")
    (folder / "unknown.txt").write_text("named by nobody")
    assert staged_of(tmp_path, Unlisted("all-named", folder)) == {
        path.name for path in folder.iterdir() if path.name != "unknown.txt"
    }


def test_of_a_folder_that_lists_nothing_no_name_is_asked_for_twice(tmp_path: Path) -> None:
    source = Unlisted("asked", write_package(tmp_path / "a", {"sha256": {"notes.txt": "0"}}))
    for folder_name in ("first", "again"):
        source.asked.clear()
        staged_of(tmp_path, source, folder_name)
        assert "memory://asked/plates/2/notes.txt" in source.asked
        assert len(source.asked) == len(set(source.asked))


def test_of_doctr_the_weights_come(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    config = {"backend_type": "torch", "model_architecture": "doctr", "doctr": DOCTR}
    (folder / "model_config.json").write_text(json.dumps(config))
    for name in ("detection.safetensors", "recognition.safetensors"):
        (folder / name).write_bytes(b"x")
    assert staged_of(tmp_path, Unlisted("doctr", folder)) == {path.name for path in folder.iterdir()}
