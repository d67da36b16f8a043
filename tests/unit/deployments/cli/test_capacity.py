"""`sightline capacity`, without a server; service times are written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deployments.cli.main import app
from tests.unit.deployments.capacity.builders import TUTORIAL, asking, with_steps
from tests.unit.deployments.models.builders import write_package


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has added nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workflow, a model of its own, and how long both models take."""
    write_package(tmp_path / "models" / "plates" / "2")
    (tmp_path / "saved").mkdir()
    for name in ("flow.json", "saved/flow.json"):
        (tmp_path / name).write_text(json.dumps(TUTORIAL))
    line = {"fixed_ms": 20, "per_item_ms": 10, "device": "cuda"}  # 8 in 100 ms: 80 a second
    table = {"ms_by_batch": {"1": 5, "32": 40}}  # 800 a second
    (tmp_path / "figures.json").write_text(json.dumps({"plates/2": line, "doctr/default": table}))
    return tmp_path


def capacity(folder: Path, *arguments: str, workflow: str = "flow.json") -> Result:
    models = ("--models", str(folder / "models"))
    return CliRunner().invoke(app, ["capacity", str(folder / workflow), *models, *arguments])


def answer(folder: Path, *arguments: str) -> dict[str, Any]:
    return json.loads(capacity(folder, "--figures", str(folder / "figures.json"), "--json", *arguments).stdout)


def test_a_rate_is_answered_with_replicas_and_the_settings_for_them(folder: Path) -> None:
    said = capacity(folder, "-r", "100", "--crops", "crop=4", "--figures", str(folder / "figures.json")).output
    assert "ObjectDetector-plates.2" in said
    assert "plates/2: {replicas: 2, max_batch_items: 8, num_cpus: 1.0, num_gpus: 1.0}" in said  # 100 / (80 * 0.7)
    assert "doctr/default: {replicas: 1, max_batch_items: 32, num_cpus: 1.0}" in said  # 400 / (800 * 0.7)
    assert "name: WorkflowRouter" in said


def test_the_same_in_json(folder: Path) -> None:
    said = answer(folder, "-r", "1000", "--utilisation", "0.5", "--router-ms", "2")
    replicas = {row["deployment"]: row["replicas"] for row in said["deployments"]}
    assert replicas["ObjectDetector-plates.2"] == 25  # 1,000 / (80 * 0.5)
    assert replicas["TextReader-doctr.default"] == 3  # 1,000 / (800 * 0.5)
    assert said["routers"] == {"replicas": 4, "cpu_ms_a_request": 2}  # 1,000 * 2 ms / 0.5
    assert said["settings"]["args"]["models"]["plates/2"]["replicas"] == 25


def test_the_router_has_more_to_do_where_there_are_more_images(folder: Path) -> None:
    said = answer(folder, "-r", "100", "--utilisation", "0.5", "--router-ms", "5.4", "--images", "10")
    # 1.4 + 10 * 4 ms; 100 * 41.4 ms / 0.5 = 8.28
    assert said["routers"] == {"replicas": 9, "cpu_ms_a_request": pytest.approx(41.4)}


def test_a_saved_workflow_is_found_by_its_name(folder: Path) -> None:
    saved = ["capacity", "local/flow", "--workflows", str(folder / "saved"), "--models", str(folder / "models")]
    said = CliRunner().invoke(app, [*saved, "-r", "1", "--figures", str(folder / "figures.json")])
    assert said.exit_code == 0, said.output


def test_without_figures_it_says_how_to_get_them(folder: Path) -> None:
    said = capacity(folder, "-r", "1")
    assert said.exit_code == 1
    assert "nobody knows how long plates/2, doctr/default takes; give --measure" in said.output


def test_models_are_measured_when_asked_for(folder: Path) -> None:
    (folder / "models" / "reader").mkdir()
    table = {"doctr/default": {"ms_by_batch": {"1": 5}}}
    (folder / "figures.json").write_text(json.dumps(table))
    said = answer(folder, "-r", "1", "--measure")
    assert said["figures"]["plates/2"]["device"] == "cpu"
    assert list(said["figures"]["plates/2"]["ms_by_batch"]) == ["1", "4", "8"]
    assert said["figures"]["doctr/default"]["of"] == "as written"


def test_an_unknown_model_is_named_with_those_that_there_are(folder: Path) -> None:
    (folder / "flow.json").write_text(json.dumps(with_steps(asking("plates/3"))))
    said = answer(folder, "-r", "1")
    assert said["error"]["type"] == "UnknownModelError"
    assert "step 'also' asks 'plates/3', which is no model here" in said["error"]["message"]
    assert "plates/2" in said["error"]["message"]


@pytest.mark.parametrize(
    ("content", "says"),
    [("[]", "must be a JSON object"), ("{", "is no JSON"), ('{"version": "1.0"}', ""), (None, "cannot read")],
)
def test_what_is_no_workflow_is_refused(folder: Path, content: str | None, says: str) -> None:
    if content is None:
        (folder / "flow.json").unlink()
    else:
        (folder / "flow.json").write_text(content)
    said = capacity(folder, "-r", "1", "--measure")
    assert said.exit_code == 1
    assert said.output.startswith("sightline: ")
    assert says in said.output


@pytest.mark.parametrize("wrong", [["--crops", "many"], ["--crops", "crop=-1"], ["--parameter", "model"]])
def test_options_that_make_no_sense_are_named(folder: Path, wrong: list[str]) -> None:
    said = capacity(folder, "-r", "1", *wrong)
    assert said.exit_code == 1
    assert f"{wrong[0]} {wrong[1]}: write" in said.output


@pytest.mark.parametrize("value", ["inf", "nan", "1e300"])
@pytest.mark.parametrize("option", ["--rate", "--images", "--router-ms", "--transform-ms"])
def test_numbers_that_no_cluster_can_have_are_refused(folder: Path, option: str, value: str) -> None:
    said = capacity(folder, "--rate", "1", "--figures", str(folder / "figures.json"), option, value)
    assert said.exit_code == 2, said.output
    assert f"Invalid value for '{option}'" in said.output
