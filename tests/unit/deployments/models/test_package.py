from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.package import read_package
from deployments.models.package_survey import discover_packages
from tests.unit.deployments.models.builders import write_package


def zip_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    return buffer.getvalue()


def test_a_right_checksum_is_accepted_in_any_case(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    digest = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
    write_package(folder, {"sha256": {"weights.onnx": digest.upper()}})
    assert read_package(folder).sha256 == digest


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1", {"sha256": {"weights.onnx": "0" * 64}})
    with pytest.raises(ModelPackageError, match="damaged or not the one meant") as caught:
        read_package(folder)
    assert caught.value.path == str(folder / "weights.onnx")


def test_cut_off_weights_do_not_pass_their_checksum(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    whole = (folder / "weights.onnx").read_bytes()
    write_package(
        folder, {"sha256": {"weights.onnx": hashlib.sha256(whole).hexdigest()}}, weights=bytes(len(whole) - 1)
    )
    with pytest.raises(ModelPackageError, match="no whole ONNX file"):
        read_package(folder)
    write_package(folder, {"sha256": {"weights.onnx": hashlib.sha256(whole).hexdigest()}}, weights=whole + b"\x08\x08")
    with pytest.raises(ModelPackageError, match="damaged"):
        read_package(folder)


def test_cut_off_weights_are_found_without_a_checksum(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    weights = folder / "weights.onnx"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelPackageError, match=r"weights.onnx is no whole ONNX file: .*; fetch or export it again"):
        read_package(folder)


def test_files_that_are_not_those_that_were_added_are_refused(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    size_bytes = (folder / "weights.onnx").stat().st_size
    manifest = {
        "model_id": "plates/7",
        "aliases": ["seven"],
        "source": "s3://bucket/a",
        "files": {"weights.onnx": {"sha256": "a" * 64, "size_bytes": size_bytes}},
    }
    (folder / ".sightline.json").write_text(json.dumps(manifest))
    package = read_package(folder)
    assert (package.model_id, package.aliases, package.sha256) == ("plates/7", ("seven",), "a" * 64)
    with (folder / "weights.onnx").open("ab") as file:
        file.write(b"\x08\x08")
    with pytest.raises(ModelPackageError, match=r"had \d+ when it was added from s3://bucket/a; remove the package"):
        read_package(folder)
    (folder / "weights.onnx").unlink()
    with pytest.raises(ModelPackageError, match="is missing since the package was added"):
        read_package(folder)


@pytest.mark.parametrize("name", ["missing.txt", "../outside.txt"])
def test_a_checksum_of_a_file_that_is_not_in_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "outside.txt").write_text("x")
    folder = write_package(tmp_path / "a" / "1", {"sha256": {name: "0" * 64}})
    with pytest.raises(ModelPackageError, match="has no such file"):
        read_package(folder)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (pickle.dumps({"a": 1}), "is a Python pickle"),
        (zip_bytes(), "is a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"", "is empty"),
    ],
)
def test_weights_that_are_no_onnx_are_refused_by_their_first_bytes(
    tmp_path: Path, weights: bytes, message: str
) -> None:
    with pytest.raises(ModelPackageError, match=message):
        read_package(write_package(tmp_path / "a" / "1", weights=weights))


@pytest.mark.parametrize("name", ["weights.pt", "model.pkl", "best.ckpt"])
def test_a_folder_with_nothing_but_a_pickle_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "1"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(pickle.dumps({}))
    with pytest.raises(ModelPackageError, match=rf"{name}: weights that may run code"):
        discover_packages(tmp_path)


def test_missing_weights_are_named_with_what_is_there(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    (folder / "weights.onnx").unlink()
    with pytest.raises(ModelPackageError, match=r"weights\.onnx is missing; the folder holds class_names\.txt"):
        read_package(folder)


def test_a_missing_model_config_beside_an_inference_config_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "a" / "1")
    (folder / "model_config.json").unlink()
    with pytest.raises(ModelPackageError, match=r"model_config\.json is missing beside inference_config\.json"):
        read_package(folder)


def test_removed_classes_leave_their_ids_behind(tmp_path: Path) -> None:
    removals = [{"type": "class_name_removal", "class_name": name} for name in ("nothing", "bus", "no such class")]
    folder = write_package(
        tmp_path / "a" / "1", None, {"class_names_operations": removals}, "nothing\nplate\nbus\ncar\n"
    )
    package = read_package(folder)
    assert (package.class_names, package.removed_class_ids) == (("plate", "car"), (0, 2))


def test_a_threshold_for_a_class_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    config = {"recommended_parameters": {"per_class_confidence": {"bus": 0.5}}}
    with pytest.raises(ModelPackageError, match="thresholds for bus"):
        read_package(write_package(tmp_path / "a" / "1", config))
