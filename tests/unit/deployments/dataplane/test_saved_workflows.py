import json
import os

import pytest

from deployments.dataplane.saved_workflows import SavedWorkflows
from deployments.errors import WorkflowNotFoundError
from workflows.errors import WorkflowDefinitionError

DOCUMENT = {"version": "1.0", "inputs": [], "steps": [], "outputs": []}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "plates.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "gate.json").write_text(json.dumps({"specification": DOCUMENT}))
    return tmp_path


def test_a_definition_is_found_under_its_workspace(folder):
    assert SavedWorkflows(folder).get("acme", "plates") == DOCUMENT


def test_the_local_workspace_is_the_folder_itself_and_a_wrapper_is_taken_off(folder):
    assert SavedWorkflows(folder).get("local", "gate") == DOCUMENT


def test_a_changed_file_counts_from_the_next_request_on(folder):
    saved = SavedWorkflows(folder)
    saved.get("acme", "plates")
    path = folder / "acme" / "plates.json"
    path.write_text(json.dumps(DOCUMENT | {"version": "1.1"}))
    assert saved.get("acme", "plates")["version"] == "1.1"


def test_an_unchanged_file_is_parsed_once(folder):
    saved = SavedWorkflows(folder)
    assert saved.get("acme", "plates") is saved.get("acme", "plates")


def test_a_removed_file_is_not_found_any_more(folder):
    saved = SavedWorkflows(folder)
    saved.get("acme", "plates")
    (folder / "acme" / "plates.json").unlink()
    with pytest.raises(WorkflowNotFoundError):
        saved.get("acme", "plates")


def test_to_find_nothing_reads_no_folder(folder, monkeypatch):
    """Whatever the database has is asked for here first, at every request."""
    saved = SavedWorkflows(folder)
    monkeypatch.setattr(saved, "names", lambda: pytest.fail("the folder was read"))
    assert saved.find("acme", "stored elsewhere") is None


def test_an_unknown_name_is_refused_with_the_nearest_ones(folder):
    with pytest.raises(WorkflowNotFoundError, match="acme/plates"):
        SavedWorkflows(folder).get("acme", "plate")


@pytest.mark.parametrize(
    ("workspace", "workflow_id"),
    [("..", "secret"), ("acme", "../../secret"), ("acme", ".."), ("", "secret"), ("acme", "a/b"), ("acme", "a\0b")],
)
def test_a_name_cannot_lead_out_of_the_folder(folder, workspace, workflow_id):
    (folder.parent / "secret.json").write_text(json.dumps(DOCUMENT))
    with pytest.raises(WorkflowNotFoundError):
        SavedWorkflows(folder).get(workspace, workflow_id)


def test_a_link_cannot_lead_out_of_the_folder(folder):
    outside = folder.parent / "outside.json"
    outside.write_text(json.dumps(DOCUMENT))
    os.symlink(outside, folder / "acme" / "linked.json")
    with pytest.raises(WorkflowNotFoundError):
        SavedWorkflows(folder).get("acme", "linked")


def test_without_a_folder_nothing_is_saved():
    saved = SavedWorkflows(None)
    assert saved.names() == []
    with pytest.raises(WorkflowNotFoundError, match="there are no saved workflows"):
        saved.get("acme", "plates")


def test_files_have_no_versions_and_the_error_says_what_runs_then(folder):
    with pytest.raises(WorkflowNotFoundError, match="workflow_version_id"):
        SavedWorkflows(folder).get("acme", "plates", "3")


@pytest.mark.parametrize("text", ["{", "[]", '"text"'])
def test_a_file_that_is_no_json_object_is_a_definition_error(folder, text):
    (folder / "acme" / "broken.json").write_text(text)
    with pytest.raises(WorkflowDefinitionError, match="acme/broken"):
        SavedWorkflows(folder).get("acme", "broken")


def test_names_are_listed_with_their_workspace(folder):
    assert SavedWorkflows(folder).names() == ["acme/plates", "local/gate"]
