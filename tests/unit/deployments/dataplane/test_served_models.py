from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from deployments.dataplane import served_models as module
from deployments.dataplane.own_deployments import actor_options, deployment_names, own_options
from deployments.dataplane.served_models import ServedModels, served_models
from deployments.errors import InvalidRequestError, ModelTaskError
from deployments.models.errors import (
    InvalidModelIdError,
    ModelPackageError,
    ModelSourceError,
    UnknownModelError,
    UnsupportedModelError,
)
from deployments.models.package import ModelPackage
from deployments.models.pp_ocr.packages import pp_ocr_beside
from deployments.models.tasks import DETECTION, READING
from deployments.settings import ClusterArgs, EngineSettings, ModelSettings
from tests.unit.deployments.models.builders import package, text_package, write_package


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One small package in place of the shipped ones."""
    folder = tmp_path / "shipped"
    write_package(folder / "plates" / "2")
    monkeypatch.setattr(module, "SHIPPED_DIRECTORY", folder)
    monkeypatch.setattr(module, "pp_ocr_beside", lambda _: {})
    return folder


def served(tmp_path: Path, **args: object) -> ServedModels:
    return served_models(ClusterArgs.model_validate({"store_dir": tmp_path / "store", **args}))


def test_without_arguments_the_shipped_models_are_served(tmp_path: Path) -> None:
    models = served(tmp_path)
    assert (list(models.packages), models.own_ids, models.known.aliases) == (["plates/2"], (), {})
    assert models.pinned_ids(DETECTION) == ("plates/2",)
    assert models.pinned_ids(READING) == ()
    assert models.engine_of("plates/2") == EngineSettings()


def test_folders_and_urls_are_served_together_and_the_later_wins(tmp_path: Path) -> None:
    write_package(tmp_path / "added" / "cars@1", {"model_id": "cars/1"})
    write_package(tmp_path / "own" / "plates" / "2", class_names="other\n")
    write_package(tmp_path / "remote" / "cars" / "1", class_names="remote\n")
    models = served(
        tmp_path,
        added_models_dir=tmp_path / "added",
        models_dir=[str(tmp_path / "own"), f"file://{tmp_path}/remote"],
    )
    assert models.packages["plates/2"].class_names == ("other",)
    assert models.packages["cars/1"].class_names == ("remote",)
    assert models.shipped_ids == {"plates/2"}


def test_one_folder_is_as_good_as_a_list_of_one(tmp_path: Path) -> None:
    assert ClusterArgs(models_dir=tmp_path).models_dir == (str(tmp_path),)
    assert ClusterArgs.model_validate({"models_dir": "s3://bucket/models"}).models_dir == ("s3://bucket/models",)


def test_a_folder_of_added_models_may_not_be_there_yet_and_any_other_must(tmp_path: Path) -> None:
    assert list(served(tmp_path, added_models_dir=tmp_path / "nowhere").packages) == ["plates/2"]
    with pytest.raises(ModelPackageError, match="there is no directory"):
        served(tmp_path, models_dir=tmp_path / "nowhere")
    with pytest.raises(ModelSourceError, match="does not exist"):
        served(tmp_path, models_dir=f"file://{tmp_path}/nowhere")


def test_settings_of_a_model_that_is_not_there_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownModelError, match=r"models\.plates/3: there is no model 'plates/3'; did you mean 'plates/2'"
    ):
        served(tmp_path, models={"plates/3": {"pinned": True}})
    with pytest.raises(InvalidModelIdError):
        served(tmp_path, models={"a/b/c": {}})


def test_settings_may_name_a_model_by_an_alias_and_only_once(tmp_path: Path) -> None:
    write_package(tmp_path / "own" / "cars" / "1", {"aliases": ["cars"]})
    models = served(tmp_path, models_dir=tmp_path / "own", models={"cars": {"max_batch_items": 2}})
    assert models.batch_items == {"cars/1": 2}
    with pytest.raises(UnknownModelError, match="'cars/1' has settings already, under another name"):
        served(tmp_path, models_dir=tmp_path / "own", models={"cars": {}, "cars/1": {}})


def test_the_engine_of_a_model_differs_in_what_is_set_for_it(tmp_path: Path) -> None:
    models = served(
        tmp_path,
        engine={"device": "cpu", "intra_op_threads": 2},
        models={"plates/2": {"engine": {"precision": "int8"}}},
    )
    assert models.engine_of("plates/2") == EngineSettings(device="cpu", intra_op_threads=2, precision="int8")
    assert models.engine_of("others/1") == EngineSettings(device="cpu", intra_op_threads=2)


@pytest.mark.parametrize("wanted", [True, False])
def test_how_pictures_are_decoded_may_be_set_for_a_model(tmp_path: Path, wanted: bool) -> None:
    write_package(tmp_path / "cars@1", {"model_id": "cars/1"})
    models = served(tmp_path, models_dir=tmp_path, models={"cars/1": {"reduced_decoding": wanted}})
    assert models.packages["cars/1"].preprocessing.reduced_decoding is wanted
    assert models.packages["plates/2"].preprocessing.reduced_decoding is False


def test_models_are_pinned_when_shipped_or_asked_for_and_not_when_alone(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_package(tmp_path / "own" / name / "1")
    models = served(
        tmp_path, models_dir=tmp_path / "own", models={"b/1": {"pinned": True}, "plates/2": {"num_gpus": 0.5}}
    )
    assert models.pinned_ids(DETECTION) == ("b/1",)
    assert models.own_ids == ("plates/2",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"replica": 1},
        {"replicas": -1},
        {"replicas": 0, "pinned": True},
        {"num_gpus": -1},
        {"max_batch_items": 0},
        {"engine": {"precision": "fp8"}},
        {"replicas": 3, "max_replicas": 2},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ClusterArgs.model_validate({"models": {"plates/2": wrong}})


def models_of(**settings: ModelSettings) -> ServedModels:
    packages = {"plates.x/2": package(), "plates/2": package(), "text": text_package("ab")}
    by_id = {name.replace("__", "/").replace("_", "."): each for name, each in settings.items()}
    return ServedModels(packages=packages, refused={}, shipped_ids=frozenset(), settings=by_id, engine=EngineSettings())


def test_deployments_are_called_after_what_they_do_and_for_whom() -> None:
    alone = ModelSettings(replicas=1)
    assert deployment_names(models_of()) == {}
    assert deployment_names(models_of(plates__2=alone, text=alone)) == {
        "plates/2": "ObjectDetector-plates.2",
        "text": "TextReader-text",
    }


def test_two_deployments_of_one_name_are_refused() -> None:
    packages = {"a/1": package(), "a.1": package()}
    settings = dict.fromkeys(packages, ModelSettings(replicas=1))
    models = SimpleNamespace(packages=packages, settings=settings, own_ids=("a.1", "a/1"))
    with pytest.raises(InvalidRequestError, match=r"called ObjectDetector-a\.1 already"):
        deployment_names(models)  # type: ignore[arg-type]


def test_a_replica_takes_what_is_set_and_little_otherwise() -> None:
    assert actor_options(ModelSettings()) == {"num_cpus": 0.25}
    settings = ModelSettings(num_cpus=0, num_gpus=0.5, accelerator_type="L4")
    assert actor_options(settings) == {"num_cpus": 0, "num_gpus": 0.5, "accelerator_type": "L4"}


def test_a_deployment_of_none_has_one_when_it_is_asked_for() -> None:
    growth = own_options(ModelSettings(replicas=0, idle_s=7))["autoscaling_config"]
    assert (growth["min_replicas"], growth["max_replicas"], growth["downscale_to_zero_delay_s"]) == (0, 1, 7)
    assert own_options(ModelSettings(replicas=0, max_replicas=3))["autoscaling_config"]["max_replicas"] == 3


def test_a_deployment_grows_only_when_it_may() -> None:
    assert own_options(ModelSettings(num_gpus=1))["num_replicas"] == 1
    assert own_options(ModelSettings(replicas=2, max_replicas=2))["num_replicas"] == 2
    growing = own_options(ModelSettings(replicas=2, max_replicas=4))
    assert "num_replicas" not in growing
    assert (growing["autoscaling_config"]["min_replicas"], growing["autoscaling_config"]["max_replicas"]) == (2, 4)


def test_a_broken_package_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    (write_package(tmp_path / "own" / "cars" / "1") / "weights.onnx").write_bytes(b"")
    models = served(tmp_path, models_dir=tmp_path / "own", models={"cars/1": {"replicas": 2}})
    assert (list(models.packages), list(models.refused), models.own_ids) == (["plates/2"], ["cars/1"], ())
    with pytest.raises(ModelPackageError, match="cars"):
        served(tmp_path, models_dir=tmp_path / "own", models={"cars/1": {"pinned": True}})


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text reader of the owner, and those of PP-OCR without their files."""
    write_package(tmp_path / "own" / "lines" / "1", {"task_type": "text-recognition"}, {"vocabulary": "AB"})

    def without_files(known_ids: Collection[str]) -> dict[str, ModelPackage]:
        found = pp_ocr_beside(known_ids)
        return {model_id: replace(each, weights_path=tmp_path / "gone.onnx") for model_id, each in found.items()}

    monkeypatch.setattr(module, "pp_ocr_beside", without_files)
    return tmp_path / "own"


def test_pp_ocr_is_served_without_being_asked_for_and_kept_only_where_it_is_the_text_reader(
    tmp_path: Path, readers: Path
) -> None:
    models = served(tmp_path, models_dir=readers)
    assert {"pp_ocr/small-small", "pp_ocr/none-small", "pp_ocr/small-none"} < set(models.packages)
    assert models.pinned_ids(READING) == ()


def test_the_text_reader_is_kept(tmp_path: Path, readers: Path) -> None:
    models = served(tmp_path, models_dir=readers, text_reader_model="lines/1")
    assert models.pinned_ids(READING) == ("lines/1",)


def test_a_package_of_the_owner_replaces_one_of_pp_ocr(tmp_path: Path, readers: Path) -> None:
    folder = write_package(readers / "pp_ocr" / "small-small")
    assert served(tmp_path, models_dir=readers).packages["pp_ocr/small-small"].directory == folder


def test_a_package_may_not_call_itself_like_one_of_pp_ocr(tmp_path: Path, readers: Path) -> None:
    write_package(readers / "cars" / "1", {"aliases": ["pp_ocr/default"]})
    models = served(tmp_path, models_dir=readers)
    assert "calls itself 'pp_ocr/default' too" in models.refused["cars/1"].message
    assert models.known.aliases["pp_ocr/default"] == "pp_ocr/small-small"


def test_a_package_of_the_owner_may_have_a_name_of_pp_ocr_as_its_id(tmp_path: Path, readers: Path) -> None:
    folder = write_package(readers / "pp_ocr" / "default")
    models = served(tmp_path, models_dir=readers)
    assert models.packages["pp_ocr/default"].directory == folder
    assert "pp_ocr/default" not in models.known.aliases
    assert "pp_ocr/small-small" in models.packages


def test_a_text_reader_that_is_not_installed_is_refused_with_the_name_of_the_extra(
    tmp_path: Path, readers: Path
) -> None:
    with pytest.raises(UnsupportedModelError, match=r"with its extra `pp-ocr`"):
        served(tmp_path, models_dir=readers, text_reader_model="pp_ocr/default")


def test_a_text_reader_that_is_not_there_is_refused_with_a_near_one(tmp_path: Path, readers: Path) -> None:
    with pytest.raises(UnknownModelError, match=r"no text reader 'pp_ocr/smal-small'.*pp_ocr/small-small"):
        served(tmp_path, models_dir=readers, text_reader_model="pp_ocr/smal-small")


def test_a_text_reader_has_no_pictures_to_decode_smaller(tmp_path: Path, readers: Path) -> None:
    (reader,) = [name for name, each in served(tmp_path, models_dir=readers).packages.items() if each.text_reading][:1]
    with pytest.raises(ModelTaskError, match="reduced_decoding is for models of whole pictures"):
        served(tmp_path, models_dir=readers, models={reader: {"reduced_decoding": True}})


def test_what_reads_no_text_is_no_text_reader(tmp_path: Path, readers: Path) -> None:
    with pytest.raises(ModelTaskError, match="plates/2"):
        served(tmp_path, models_dir=readers, text_reader_model="plates/2")


def write_emulated(folder: Path) -> None:
    emulated = {"service_ms": {"fixed": 8, "per_item": 1}, "outputs": {"output0": [[0, 0, 1, 1, 0, 0]]}}
    write_package(folder, {"backend_type": "emulated", "emulated": emulated, "model_architecture": "yolov10"})
    (folder / "weights.onnx").unlink()


def test_what_only_pretends_to_compute_is_refused_unless_the_server_runs_for_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_emulated(tmp_path / "own" / "emulated" / "1")
    models = served(tmp_path, models_dir=str(tmp_path / "own"))
    assert list(models.packages) == ["plates/2"]
    assert "a server that runs with --emulated-accelerators" in models.refused["emulated/1"].message
    allowed = served(tmp_path, models_dir=str(tmp_path / "own"), emulated_accelerators=True)
    assert sorted(allowed.packages) == ["emulated/1", "plates/2"]
    assert allowed.refused == {}
    assert [record.getMessage() for record in caplog.records] == [
        "emulated accelerators are refused: the server does not run with --emulated-accelerators",
        "EMULATED ACCELERATORS ARE SERVED: their answers are made up",
    ]


def test_one_that_takes_the_place_of_a_shipped_model_is_refused_and_not_mistaken_for_it(
    tmp_path: Path, shipped: Path
) -> None:
    write_emulated(tmp_path / "own" / "plates" / "2")
    models = served(tmp_path, models_dir=str(tmp_path / "own"))
    assert (list(models.packages), list(models.refused)) == ([], ["plates/2"])
    with pytest.raises(ModelPackageError, match="is an emulated accelerator"):
        served(tmp_path, models_dir=str(tmp_path / "own"), text_reader_model="plates/2")
