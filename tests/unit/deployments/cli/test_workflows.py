"""`sightline workflows`, as scripts use it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from deployments.cli.main import app
from deployments.storage.database import sqlite_url

DOCUMENT = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [],
    "outputs": [{"type": "JsonField", "name": "image", "selector": "$inputs.image"}],
}


@pytest.fixture
def workflows(tmp_path):
    """Runs `sightline workflows`; gives what it printed."""

    def run(*arguments, status=0):
        done = CliRunner().invoke(app, ["workflows", *map(str, arguments), "--database", sqlite_url(tmp_path / "s.db")])
        assert done.exit_code == status, done.output
        return done

    return run


@pytest.fixture
def file(tmp_path):
    def write(name, document):
        path = tmp_path / f"{name}.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_without_workflows_the_list_is_empty(workflows):
    assert workflows("list").stdout == ""
    assert json.loads(workflows("list", "--json").stdout) == {"workflows": []}


def test_files_are_saved_by_their_names_and_again_as_new_versions(workflows, file):
    path = file("plates", DOCUMENT)
    saved = json.loads(workflows("save", path, file("doors", DOCUMENT), "--workspace", "acme", "--json").stdout)
    assert [(row["workflow"], row["version"]) for row in saved["workflows"]] == [("acme/plates", 1), ("acme/doors", 1)]
    file("plates", {"specification": DOCUMENT | {"version": "1.1"}})
    workflows("save", path, "--workspace", "acme")
    rows = json.loads(workflows("list", "--workspace", "acme", "--name", "plates", "--json").stdout)["workflows"]
    assert [row["version"] for row in rows] == [1, 2]
    assert json.loads(workflows("show", "plates", "--workspace", "acme").stdout) == DOCUMENT | {"version": "1.1"}
    for version in ("1", rows[0]["version_id"]):
        shown = workflows("show", "plates", "--workspace", "acme", "--version", version)
        assert json.loads(shown.stdout) == DOCUMENT


def test_they_are_for_every_key_unless_a_workspace_is_named(workflows, file):
    assert workflows("save", file("plates", DOCUMENT), "--name", "gate").stdout.startswith("local/gate  1  ")


def test_a_deleted_one_is_gone(workflows, file):
    workflows("save", file("plates", DOCUMENT))
    workflows("delete", "plates")
    assert workflows("list").stdout == ""
    workflows("show", "plates", status=3)
    workflows("delete", "plates", status=3)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "must be a JSON object"),
        ({"version": "1.0"}, "inputs"),
        (DOCUMENT | {"steps": [{"type": "no_such", "name": "a"}]}, "no_such"),
    ],
)
def test_of_files_with_a_wrong_one_none_is_saved(workflows, file, document, said):
    done = workflows("save", file("good", DOCUMENT), file("bad", document), status=1)
    assert said in done.stderr
    assert "bad.json" in done.stderr
    assert workflows("list").stdout == ""


def test_what_makes_no_sense_is_refused(workflows, file, tmp_path):
    path = file("plates", DOCUMENT)
    assert "cannot read" in workflows("save", tmp_path / "none.json", status=1).stderr
    assert "for one file" in workflows("save", path, path, "--name", "x", status=1).stderr
    assert "same name" in workflows("save", path, path, status=1).stderr
    assert "no name for a workflow" in workflows("save", path, "--name", "a/b", status=1).stderr
    assert "no name for a workspace" in workflows("save", path, "--workspace", "A B", status=1).stderr
