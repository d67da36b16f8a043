from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli.application_args import application_args
from deployments.errors import ServingError
from tests.unit.deployments.models.builders import write_package

SHIPPED_ID = "vehicle-registration-plates-trudk/2"


@pytest.fixture(autouse=True)
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where added models would be."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "sightline" / "models"


def test_added_models_are_served_by_default(added: Path) -> None:
    assert application_args([], None) == {"added_models_dir": str(added)}


def test_folders_and_urls_are_served_beside_them(tmp_path: Path, added: Path) -> None:
    write_package(tmp_path / "own" / "plates" / "1")
    (tmp_path / "workflows").mkdir()
    assert application_args([str(tmp_path / "own"), "s3://bucket/models"], tmp_path / "workflows") == {
        "added_models_dir": str(added),
        "models_dir": [str(tmp_path / "own"), "s3://bucket/models"],
        "ingress": {"workflows_dir": str(tmp_path / "workflows")},
    }


def test_folders_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="there is no directory"):
        application_args([str(tmp_path / "nowhere")], None)
    with pytest.raises(ServingError, match="there is no directory"):
        application_args([], tmp_path / "nowhere")


def test_broken_added_models_are_named(added: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (write_package(added / "plates@1") / "weights.onnx").write_bytes(b"")
    application_args([], None)
    assert "these added models are broken; add them again, or remove them" in capsys.readouterr().err


def test_a_folder_of_which_nothing_can_be_served_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "1", weights=b"")
    with pytest.raises(ServingError, match=r"cannot be served; mend or remove:\n.*weights\.onnx is empty"):
        application_args([str(tmp_path)], None)


def test_broken_packages_beside_whole_ones_are_named_and_the_whole_ones_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "plates" / "2", weights=b"")
    assert str(tmp_path.resolve()) in str(application_args([str(tmp_path)], None)["models_dir"])
    said = capsys.readouterr().err
    assert "plates/2/weights.onnx: weights.onnx is empty" in said
    assert "plates/1" not in said


@pytest.mark.weights
def test_a_broken_package_that_should_replace_a_shipped_one_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "own", {"model_id": SHIPPED_ID}, weights=b"")
    with pytest.raises(ServingError, match="cannot be served"):
        application_args([str(tmp_path)], None)


def test_whole_packages_are_served_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_package(tmp_path / "plates" / "1")
    application_args([str(tmp_path)], None)
    assert capsys.readouterr().err == ""


def test_what_only_pretends_to_compute_is_served_for_who_says_so_alone(
    tmp_path: Path, added: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulated = {"service_ms": {"1": 8}, "outputs": {"output0": [[0, 0, 1, 1, 0, 0]]}}
    write_package(tmp_path / "own" / "emulated" / "1", {"backend_type": "emulated", "emulated": emulated})
    with pytest.raises(ServingError, match=r"make their answers up: emulated/1; .* with --emulated-accelerators"):
        application_args([str(tmp_path / "own")], None)
    args = application_args([str(tmp_path / "own")], None, emulated_accelerators=True)
    assert args["emulated_accelerators"] is True
    assert "EMULATED ACCELERATORS ARE ON" in capsys.readouterr().err
