from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli.main import _args
from deployments.errors import ServingError
from tests.unit.deployments.models.builders import write_package

SHIPPED_ID = "vehicle-registration-plates-trudk/2"


def test_a_folder_of_which_nothing_can_be_served_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "1", weights=b"")
    with pytest.raises(ServingError, match=r"cannot be served; mend or remove:\n.*weights\.onnx is empty"):
        _args(tmp_path, None)


def test_broken_packages_beside_whole_ones_are_named_and_the_whole_ones_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "plates" / "2", weights=b"")
    assert str(tmp_path.resolve()) in str(_args(tmp_path, None)["models_dir"])
    said = capsys.readouterr().err
    assert "plates/2/weights.onnx: weights.onnx is empty" in said
    assert "plates/1" not in said


@pytest.mark.weights
def test_a_broken_package_that_should_replace_a_shipped_one_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "own", {"model_id": SHIPPED_ID}, weights=b"")
    with pytest.raises(ServingError, match="cannot be served"):
        _args(tmp_path, None)


def test_whole_packages_are_served_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_package(tmp_path / "plates" / "1")
    _args(tmp_path, None)
    assert capsys.readouterr().err == ""
