from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages, survey_packages
from tests.unit.deployments.models.builders import write_package


def test_the_id_is_the_one_the_package_gives_itself(tmp_path: Path) -> None:
    write_package(tmp_path / "folder" / "9", {"model_id": "plates/2"})
    assert list(discover_packages(tmp_path)) == ["plates/2"]


def test_without_one_the_id_is_the_path_in_the_directory(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "2")
    write_package(tmp_path / "cars" / "1", {"model_id": None})
    assert sorted(discover_packages(tmp_path)) == ["cars/1", "plates/2"]


def test_a_directory_that_is_itself_a_package_is_called_by_its_last_two_names(tmp_path: Path) -> None:
    assert list(discover_packages(write_package(tmp_path / "plates" / "2"))) == ["plates/2"]


def test_an_older_package_lies_under_its_path_too(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "plates" / "3")
    (folder / "model_config.json").unlink()
    (folder / "inference_config.json").unlink()
    (folder / "environment.json").write_text(json.dumps({"PREPROCESSING": "{}"}))
    assert discover_packages(tmp_path)["plates/3"].task_type == "object-detection"


def test_bare_weights_are_a_package(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "mine" / "1")
    (folder / "model_config.json").unlink()
    (folder / "inference_config.json").unlink()
    package = discover_packages(tmp_path)["mine/1"]
    assert (package.architecture, package.class_names) == (None, ("plate",))


def test_a_later_directory_replaces_what_an_earlier_one_calls_the_same(tmp_path: Path) -> None:
    write_package(tmp_path / "shipped" / "a", {"model_id": "plates/2"})
    write_package(tmp_path / "shipped" / "b", {"model_id": "doctr/default"})
    write_package(tmp_path / "own" / "x", {"model_id": "plates/2"})
    packages = discover_packages(tmp_path / "shipped", tmp_path / "own")
    assert packages["plates/2"].directory == tmp_path / "own" / "x"
    assert sorted(packages) == ["doctr/default", "plates/2"]


def test_folders_inside_a_package_belong_to_it(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "plates" / "1" / "backup")
    assert list(discover_packages(tmp_path)) == ["plates/1"]


def test_hidden_folders_are_not_looked_at(tmp_path: Path) -> None:
    write_package(tmp_path / ".cache" / "1")
    assert discover_packages(tmp_path) == {}


def test_an_empty_directory_offers_nothing(tmp_path: Path) -> None:
    assert discover_packages(tmp_path) == {}


def test_a_directory_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="there is no directory"):
        discover_packages(tmp_path / "nowhere")


def test_all_bad_packages_are_listed_at_once_and_nothing_is_served(tmp_path: Path) -> None:
    write_package(tmp_path / "good" / "1")
    write_package(tmp_path / "bad" / "1", {"task_type": 7})
    write_package(tmp_path / "bad" / "2", weights=b"")
    with pytest.raises(ModelPackageError) as caught:
        discover_packages(tmp_path)
    assert "bad/1" in str(caught.value)
    assert "task_type" in str(caught.value)
    assert "weights.onnx is empty" in str(caught.value)
    survey = survey_packages(tmp_path)
    assert list(survey.packages) == ["good/1"]
    assert len(survey.problems) == 2


def test_a_package_for_another_runtime_is_named_and_the_others_are_served(tmp_path: Path, caplog) -> None:
    write_package(tmp_path / "good" / "1")
    write_package(tmp_path / "torch" / "1", {"backend_type": "torch"})
    assert list(discover_packages(tmp_path)) == ["good/1"]
    (left_out,) = survey_packages(tmp_path).left_out
    assert "backend_type is 'torch'" in left_out.message
    assert left_out.path in str([vars(record) for record in caplog.records])


def test_links_to_packages_are_followed_and_links_back_are_not(tmp_path: Path) -> None:
    write_package(tmp_path / "elsewhere")
    models = tmp_path / "models"
    for version in ("1", "2"):
        (models / "plates").mkdir(parents=True, exist_ok=True)
        (models / "plates" / version).symlink_to(tmp_path / "elsewhere")
    (models / "plates" / "again").symlink_to(models)
    assert sorted(discover_packages(models)) == ["plates/1", "plates/2"]


def test_two_packages_of_one_directory_with_the_same_id_are_an_error(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/2"})
    write_package(tmp_path / "b", {"model_id": "plates/2"})
    with pytest.raises(ModelPackageError, match="two packages call themselves 'plates/2'"):
        discover_packages(tmp_path)


def test_a_path_that_is_no_id_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    write_package(tmp_path / "a" / "b" / "c")
    with pytest.raises(ModelPackageError, match=r"set model_id in model_config\.json"):
        discover_packages(tmp_path)


def test_a_package_is_found_under_its_aliases_as_well(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/2", "aliases": ["plates-best", "plates/2", "plates-best"]})
    assert discover_packages(tmp_path)["plates/2"].aliases == ("plates-best",)


@pytest.mark.parametrize(
    ("other", "meant"),
    [
        ({"model_id": "taken"}, "'taken'"),
        ({"model_id": "cars/1", "aliases": ["taken"]}, "'cars/1'"),
    ],
)
def test_an_alias_that_means_another_model_is_refused(tmp_path: Path, other: dict[str, object], meant: str) -> None:
    write_package(tmp_path / "first" / "a", other)
    write_package(tmp_path / "second" / "b", {"model_id": "plates/2", "aliases": ["taken"]})
    with pytest.raises(ModelPackageError, match=f"'plates/2' calls itself 'taken' too, which means {meant} already"):
        discover_packages(tmp_path / "first", tmp_path / "second")
    assert len(survey_packages(tmp_path).problems) == 1


def test_an_alias_that_clients_replace_themselves_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/2", "aliases": ["yolov8n-640"]})
    with pytest.raises(ModelPackageError, match="which means 'coco/3' already"):
        discover_packages(tmp_path)


def test_an_alias_must_be_a_model_id(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/2", "aliases": ["a/b/c"]})
    with pytest.raises(ModelPackageError, match="'a/b/c' is no model id"):
        discover_packages(tmp_path)


@pytest.mark.weights
def test_the_shipped_packages_are_whole() -> None:
    packages = discover_packages(SHIPPED_DIRECTORY)
    assert packages["vehicle-registration-plates-trudk/2"].task_type == "object-detection"
    assert packages["doctr/default"].task_type == "text-recognition"
    assert all(package.sha256 for package in packages.values())
