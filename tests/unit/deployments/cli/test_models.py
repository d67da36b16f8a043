"""`sightline models`, without a server; the networks are a few bytes."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deployments.cli.main import app
from tests.unit.deployments.models.builders import (
    write_add_graph,
    write_constant_detector,
    write_package,
    yolov8_output,
)

SHIPPED = ["doctr/default", "doctr/detection", "vehicle-registration-plates-trudk/2"]


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has added nothing yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def models(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, arguments)])


def answer(*arguments: str | Path) -> dict[str, Any]:
    return json.loads(models(*arguments, "--json").stdout)


def test_nothing_was_added_at_first() -> None:
    said = answer("list")
    assert (said["ok"], said["models"]) == (True, [])
    assert set(SHIPPED) <= set(said["shipped"])


def test_a_model_is_added_listed_shown_and_removed(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9", {"recommendedParameters": None}, class_names="plate\n")
    assert models("add", folder, "--alias", "nine").output == "added plates/9\n"
    assert models("add", folder, "--alias", "nine").output == "there already: plates/9\n"
    assert models("list").output.splitlines()[0].startswith("plates/9  object-detection  0.0 MB  from ")
    shown = answer("show", "nine")
    assert (shown["model_id"], shown["aliases"], shown["classes"]) == ("plates/9", ["nine"], ["plate"])
    assert len(shown["sha256"]) == 64
    assert "directory" in models("show", "plates/9").output
    removed = answer("remove", "plates/9")
    assert removed["freed_bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    assert answer("list")["models"] == []


def test_a_model_is_removed_by_its_alias(tmp_path: Path) -> None:
    models("add", write_package(tmp_path / "plates" / "9"), "--alias", "nine")
    assert answer("remove", "nine")["model_id"] == "plates/9"
    assert answer("list")["models"] == []


def test_what_nobody_used_for_a_while_is_pruned(tmp_path: Path, data_home: Path) -> None:
    assert answer("prune") == {"ok": True, "sources": 0, "freed_bytes": 0}
    assert not data_home.exists()
    models("add", write_package(tmp_path / "plates" / "9"))
    assert models("prune").output == "0.0 MB freed; 0 sources forgotten\n"
    assert answer("prune", "--days", 0) == {"ok": True, "sources": 1, "freed_bytes": 0}
    assert [row["model_id"] for row in answer("list")["models"]] == ["plates/9"]


def test_bare_weights_and_their_classes_are_enough(tmp_path: Path) -> None:
    weights = write_constant_detector(tmp_path / "best.onnx", yolov8_output([], classes=2, anchors=84))
    names = tmp_path / "names.txt"
    names.write_text("forklift\npallet\n")
    said = answer("add", weights, "--classes", names, "--id", "forklifts/3")
    assert said["added"] == [{"model_id": "forklifts/3", "is_new": True, "notes": []}]
    (checked,) = answer("check", "forklifts/3")["models"]
    assert (checked["architecture"], checked["architecture_is_declared"]) == ("yolov8", False)
    assert checked["classes"] == ["forklift", "pallet"]


def test_weights_whose_classes_lie_beside_them_are_refused_with_how_to_name_both(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9")
    said = models("add", folder / "weights.onnx").stderr
    assert "and name the folder, or give such a file with --classes" in said
    assert models("add", folder / "weights.onnx", "--classes", folder / "class_names.txt").exit_code == 0


def test_check_says_what_a_package_is(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9", {"recommended_parameters": {"confidence": 0.35}})
    (checked,) = answer("check", folder)["models"]
    assert (checked["model_id"], checked["task"]) == ("plates/9", "object-detection")
    assert (checked["architecture"], checked["architecture_is_declared"]) == ("yolov8", True)
    assert checked["inputs"] == [
        {"name": "images", "declared_shape": [None, 3, 64, 64], "seen_shape": [1, 3, 64, 64], "dtype": "float32"}
    ]
    assert checked["outputs"][0]["seen_shape"] == [1, 5, 12]
    assert checked["best_confidence"] == 0.35
    assert set(checked["ms_an_image"]) == {"1", "8"}
    assert any("no checksum" in note for note in checked["notes"])
    lines = models("check", folder).output.splitlines()
    assert lines[0] == "plates/9: object-detection"
    assert "  input         images [any, 3, 64, 64] float32, seen [1, 3, 64, 64]" in lines
    assert lines[-1] == "  can be served"


def test_check_of_a_folder_leaves_nothing_behind(tmp_path: Path, data_home: Path) -> None:
    models("check", write_package(tmp_path / "plates" / "9"))
    assert not data_home.exists()


def test_a_network_that_takes_one_batch_size_is_timed_with_that(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9")
    write_constant_detector(folder / "weights.onnx", yolov8_output([]), batch=2)
    (checked,) = answer("check", folder)["models"]
    assert (checked["batch_size"], set(checked["ms_an_image"])) == (2, {"2"})


@pytest.mark.weights
@pytest.mark.skipif(find_spec("rapidocr") is None, reason="rapidocr is not installed: the extra `pp-ocr` brings it")
def test_check_knows_the_models_of_an_extra_by_every_name() -> None:
    (checked,) = answer("check", "pp_ocr/default")["models"]
    assert checked["model_id"] == "pp_ocr/small-small"
    assert checked["inputs"] == [
        {"name": "x", "declared_shape": [None, 3, 48, None], "seen_shape": [1, 3, 48, 320], "dtype": "float32"}
    ]


def test_names_that_do_not_fit_are_noted(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9", class_names="plate\ncar\n")
    (checked,) = answer("check", folder)["models"]
    assert any("class" in note and "2" in note for note in checked["notes"])


@pytest.mark.parametrize(
    ("change", "status", "kind", "message"),
    [
        (lambda at: (at / "weights.onnx").write_bytes(b"\x80\x04pickle"), 3, "ModelPackageError", "a Python pickle"),
        (lambda at: (at / "weights.onnx").unlink(), 3, "ModelPackageError", "weights.onnx is missing"),
        (
            lambda at: (at / "inference_config.json").unlink(),
            3,
            "ModelPackageError",
            "inference_config.json is missing",
        ),
        (
            lambda at: (at / "weights.onnx").write_bytes((at / "weights.onnx").read_bytes()[:-1]),
            3,
            "ModelPackageError",
            "no whole ONNX file",
        ),
        (lambda at: write_add_graph(at / "weights.onnx"), 4, "ModelLoadError", "takes"),
        (
            lambda at: (at / "model_config.json").write_text('{"backend_type": "trt"}'),
            5,
            "OtherRuntimeError",
            "it must be 'onnx'",
        ),
        (
            lambda at: (at / "model_config.json").write_text('{"task_type": "depth-estimation"}'),
            5,
            "UnsupportedModelError",
            "served here are",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "add"])
def test_what_is_wrong_is_said_with_a_status_of_its_kind(
    tmp_path: Path, command: str, change: Any, status: int, kind: str, message: str
) -> None:
    folder = write_package(tmp_path / "plates" / "9")
    change(folder)
    result = models(command, folder, "--json")
    assert result.exit_code == status
    said = json.loads(result.stdout)
    assert (said["ok"], said["error"]["type"]) == (False, kind)
    assert message in said["error"]["message"]
    in_words = models(command, folder)
    assert in_words.exit_code == status
    assert message in in_words.stderr
    assert answer("list")["models"] == []


def test_every_package_of_a_folder_is_checked_and_what_is_wrong_is_said_of_each(tmp_path: Path) -> None:
    write_add_graph(write_package(tmp_path / "many" / "a" / "1") / "weights.onnx")
    write_package(tmp_path / "many" / "b" / "1", weights=b"")
    write_package(tmp_path / "many" / "c" / "1")
    result = models("check", tmp_path / "many")
    assert result.exit_code == 4
    assert result.stdout.splitlines()[0] == "c/1: object-detection"
    first, second = result.stderr.splitlines()
    assert "'a/1'" in first
    path = tmp_path / "many" / "b" / "1" / "weights.onnx"
    assert second == f"sightline: {path}: weights.onnx is empty; it must be an ONNX file"
    said = answer("check", tmp_path / "many")
    assert [row["model_id"] for row in said["models"]] == ["c/1"]
    assert [row["type"] for row in said["errors"]] == ["ModelLoadError", "ModelPackageError"]
    assert (said["ok"], said["error"]) == (False, said["errors"][0])
    assert said["errors"][1]["path"] == str(path)


def test_what_is_wrong_with_a_source_is_said_of_the_source_alone(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "9", weights=b"")
    message = f"{folder}: weights.onnx is empty; it must be an ONNX file"
    assert models("add", folder).stderr == f"sightline: {message}\n"
    assert answer("add", folder)["error"] == {"type": "ModelPackageError", "message": message, "path": str(folder)}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("add", "/nowhere/at/all"), 6),
        (("add", "ftp://host.example/a"), 6),
        (("check", "plates/99"), 7),
        (("show", "plates/99"), 7),
        (("remove", "plates/99"), 7),
        (("remove", "../../etc"), 7),
        (("add",), 2),
    ],
)
def test_what_does_not_exist_is_said_so(arguments: tuple[str, ...], status: int) -> None:
    assert models(*arguments).exit_code == status


def test_a_damaged_package_is_listed_as_broken(tmp_path: Path, data_home: Path) -> None:
    models("add", write_package(tmp_path / "plates" / "9"))
    weights = data_home / "sightline" / "models" / "plates@9" / "weights.onnx"
    weights.chmod(0o600)
    weights.write_bytes(weights.read_bytes()[:-1])
    assert "BROKEN: weights.onnx has" in models("list").output
    assert models("check", "plates/9").exit_code == 3
    assert models("remove", "plates/9").exit_code == 0


def test_a_model_that_only_pretends_to_compute_is_called_that(tmp_path: Path) -> None:
    emulated = {"service_ms": {"1": 8, "8": 16}, "outputs": {"output0": [[8, 8, 40, 24, 0.9, 0]]}}
    config = {"model_architecture": "yolov10", "backend_type": "emulated", "emulated": emulated}
    (write_package(tmp_path / "emulated" / "1", config) / "weights.onnx").unlink()
    said = models("check", tmp_path / "emulated" / "1").output
    assert "EMULATED ACCELERATOR: no network runs, every answer is made up" in said
    assert said.splitlines()[-1] == "  EMULATED: it computes nothing; served with --emulated-accelerators alone"
    (row,) = answer("check", tmp_path / "emulated" / "1")["models"]
    assert (row["emulated"], row["device"]) == (True, "emulated")
    assert row["ms_an_image"]["1"] >= 8
