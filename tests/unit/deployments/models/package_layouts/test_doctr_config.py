from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from deployments.models.errors import ModelPackageError, OtherRuntimeError
from deployments.models.package import read_package
from deployments.models.package_layouts.contents import DoctrModel
from deployments.models.package_survey import package_folders

NETWORKS = {"detection": "db_resnet50", "recognition": "crnn_vgg16_bn"}


def safetensors(data: bytes) -> bytes:
    """One tensor of bytes, written by the description of the format."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    return len(header).to_bytes(8, "little") + header + data


def write(folder: Path, **changed: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_id": "doctr/pretrained",
        "task_type": "text-recognition",
        "backend_type": "torch",
        "model_architecture": "doctr",
        "doctr": NETWORKS,
    }
    (folder / "model_config.json").write_text(json.dumps(config | changed))
    (folder / "detection.safetensors").write_bytes(safetensors(b"found"))
    (folder / "recognition.safetensors").write_bytes(safetensors(b"read"))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelPackageError) as caught:
        read_package(folder)
    return caught.value.message


def test_a_package_names_both_networks_and_needs_no_second_file(tmp_path: Path) -> None:
    package = read_package(write(tmp_path / "a", doctr=NETWORKS | {"vocab": "01AB"}))
    assert package.doctr == DoctrModel(
        detection="db_resnet50",
        recognition="crnn_vgg16_bn",
        detection_weights="detection.safetensors",
        recognition_weights="recognition.safetensors",
        vocabulary="01AB",
    )
    assert (package.model_id, package.task_type) == ("doctr/pretrained", "text-recognition")
    assert package.weights_path == tmp_path / "a" / "recognition.safetensors"
    assert list(package_folders(tmp_path)) == [tmp_path / "a"]


def test_the_vocabulary_may_be_that_of_the_architecture(tmp_path: Path) -> None:
    package = read_package(write(tmp_path, task_type=None))
    assert package.doctr is not None
    assert package.doctr.vocabulary is None
    assert package.task_type == "text-recognition"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"doctr": None}, '`doctr` is missing; write "doctr": {"detection": "db_resnet50"'),
        ({"doctr": NETWORKS | {"detection": "yolo"}}, "doctr.detection: Input should be 'db_resnet34'"),
        ({"doctr": NETWORKS | {"recognition": "trocr"}}, "doctr.recognition: Input should be 'crnn_vgg16_bn'"),
        ({"doctr": NETWORKS | {"vocab": ""}}, "doctr.vocab: String should have at least 1 character"),
        ({"doctr": NETWORKS | {"weights": "a"}}, "doctr.weights: Extra inputs are not permitted"),
        ({"task_type": "object-detection"}, "task_type is 'object-detection'; a predictor of docTR is for"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    assert message in refusal(write(tmp_path, **changed))


@pytest.mark.parametrize("name", ["detection.pt", "../detection.safetensors", "/detection.safetensors", ""])
def test_weights_are_safetensors_in_the_folder(tmp_path: Path, name: str) -> None:
    message = refusal(write(tmp_path, doctr=NETWORKS | {"detection_weights": name}))
    assert f"{name!r} must be the name of a .safetensors file in the folder" in message
    assert "safetensors.torch.save_file" in message


@pytest.mark.parametrize("file", ["detection.safetensors", "recognition.safetensors"])
def test_both_files_are_looked_at_before_anything_is_loaded(tmp_path: Path, file: str) -> None:
    path = write(tmp_path) / file
    whole = path.read_bytes()
    path.write_bytes(pickle.dumps({}))
    assert refusal(tmp_path) == f"{file} is a Python pickle; it must be a safetensors file"
    path.write_bytes(whole[:-1])
    assert refusal(tmp_path).startswith(f"{file} is no whole safetensors file: ")
    path.unlink()
    assert refusal(tmp_path).startswith(f"{file} is missing")


@pytest.mark.parametrize("file", ["detection.safetensors", "recognition.safetensors"])
def test_a_checksum_that_is_named_must_be_that_of_the_file(tmp_path: Path, file: str) -> None:
    digest = hashlib.sha256((write(tmp_path) / file).read_bytes()).hexdigest()
    assert read_package(write(tmp_path, sha256={file: digest})).file_sums == {file: digest}
    assert f"model_config.json says {'0' * 64}" in refusal(write(tmp_path, sha256={file: "0" * 64}))


def test_torch_runs_nothing_but_doctr(tmp_path: Path) -> None:
    with pytest.raises(OtherRuntimeError, match="backend_type is 'torch'"):
        read_package(write(tmp_path, model_architecture="yolov8"))
