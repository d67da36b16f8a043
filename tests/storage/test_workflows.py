"""Saved workflows and their versions, in both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from deployments.storage.errors import InvalidNameError, NotStoredError
from deployments.storage.workflows import (
    MAX_DOCUMENT_CHARACTERS,
    StoredWorkflows,
    delete_workflow,
    find_workflow,
    list_workflows,
    save_workflow,
)


def save(database, document, workspace="acme", workflow="plates", now_unix_s=1000.0):
    with database.writing() as session:
        return save_workflow(session, workspace, workflow, document, now_unix_s=now_unix_s)


def find(database, version=None, workspace="acme", workflow="plates"):
    return StoredWorkflows(database).find(workspace, workflow, version)


def listed(database, *asked):
    with database.reading() as session:
        return [(row.workspace, row.workflow, row.version) for row in list_workflows(session, *asked)]


def test_a_new_database_has_no_workflows(database):
    assert listed(database) == []
    assert find(database) is None


def test_the_newest_version_is_what_a_name_means_and_older_ones_stay(database):
    first, second = save(database, '{"a": 1}'), save(database, '{"a": 2}')
    assert (first.version, second.version) == (1, 2)
    assert find(database) == '{"a": 2}'
    assert find(database, "1") == find(database, first.version_id) == '{"a": 1}'
    assert find(database, "2") == find(database, second.version_id) == '{"a": 2}'


@pytest.mark.parametrize("version", ["3", "0", "-1", "", "one", "9" * 30, "²"])
def test_a_version_that_is_not_there_is_none(database, version):
    save(database, "{}")
    assert find(database, version) is None


def test_saving_what_is_there_makes_no_version(database):
    assert save(database, "{}") == save(database, "{}", now_unix_s=2000.0)
    save(database, "[]")
    assert save(database, "{}").version == 3


def test_workspaces_and_names_do_not_meet(database):
    version_id = save(database, '"acme"').version_id
    save(database, '"bolts"', workspace="bolts")
    save(database, '"doors"', workflow="doors")
    assert find(database, workspace="bolts") == '"bolts"'
    assert find(database, version_id, workspace="bolts") is None
    assert listed(database) == [("acme", "doors", 1), ("acme", "plates", 1), ("bolts", "plates", 1)]
    assert listed(database, "acme") == [("acme", "doors", 1), ("acme", "plates", 1)]
    assert listed(database, "acme", "plates") == [("acme", "plates", 1)]


def test_a_deleted_workflow_is_gone_with_all_versions_and_its_numbers_are_not_used_again(database):
    save(database, "1")
    save(database, "2")
    with database.writing() as session:
        assert delete_workflow(session, "acme", "plates", now_unix_s=1500.0) == 2
    assert find(database) is find(database, "1") is None
    with database.writing() as session, pytest.raises(NotStoredError, match="no workflow 'acme/plates'"):
        delete_workflow(session, "acme", "plates", now_unix_s=1500.0)
    assert save(database, "2").version == 3
    with database.reading() as session:
        assert find_workflow(session, "acme", "plates").document == "2"


def test_deleting_a_workflow_leaves_all_others(database):
    save(database, "{}")
    save(database, "{}", workflow="doors")
    save(database, "{}", workspace="bolts")
    with database.writing() as session:
        assert delete_workflow(session, "acme", "plates", now_unix_s=1500.0) == 1
    assert listed(database) == [("acme", "doors", 1), ("bolts", "plates", 1)]


def test_documents_are_read_only_where_they_are_shown(database):
    save(database, "{}")
    read = []
    with database.writing() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *call: read.append("document" in call[2]))
        save_workflow(session, "acme", "plates", "{}", now_unix_s=1500.0)
        list_workflows(session)
        delete_workflow(session, "acme", "plates", now_unix_s=1500.0)
        assert not any(read)
        find_workflow(session, "acme", "plates")
        assert read[-1]


@pytest.mark.parametrize("workflow", ["", ".hidden", "../x", "a/b", "x" * 201, "ä"])
def test_a_name_that_is_none_is_refused(database, workflow):
    with pytest.raises(InvalidNameError, match="no name for a workflow"):
        save(database, "{}", workflow=workflow)
    assert listed(database) == []


def test_a_document_that_is_too_long_is_refused(database):
    with pytest.raises(InvalidNameError, match="are stored"):
        save(database, "x" * (MAX_DOCUMENT_CHARACTERS + 1))


def test_many_who_save_at_once_get_versions_of_their_own(open_again):
    databases = [open_again() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda at: save(databases[at % 4], str(at)).version, range(12)))
    assert sorted(made) == list(range(1, 13))
