import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from deployments.storage.endpoints import (
    NewEndpoint,
    change_wanted,
    create_endpoint,
    find_endpoint,
    get_endpoint,
    list_endpoints,
    note_replicas,
    transition,
)
from deployments.storage.errors import InvalidNameError, NameTakenError, NotStoredError, StateChangedError
from deployments.storage.events import drop_events, events
from deployments.storage.tables import ActualState, DesiredState

PLATES = NewEndpoint(workspace="acme", name="plates", machine_type="dev-cpu", creator_email="a@acme.example")


def create(database, new=PLATES, now_unix_s=1000.0):
    with database.writing() as session:
        return create_endpoint(session, new, now_unix_s=now_unix_s)


def move(database, endpoint, seen, to, now_unix_s=1001.0, **told):
    with database.writing() as session:
        return transition(session, endpoint.endpoint_id, seen={seen}, to=to, now_unix_s=now_unix_s, **told)


def test_an_empty_database_has_no_endpoints(database):
    with database.reading() as session:
        assert list_endpoints(session) == []
        assert find_endpoint(session, "acme", "plates") is None
        with pytest.raises(NotStoredError, match="no endpoint with the id 'x'"):
            get_endpoint(session, "x")


def test_a_new_endpoint_is_pending_and_expires_after_its_duration(database):
    made = create(database, replace(PLATES, duration_h=0.5, spec={"models": ["plates/1"]}))
    assert (made.desired, made.actual, made.generation, made.observed_generation, made.num_replicas) == (
        DesiredState.RUNNING,
        ActualState.PENDING,
        1,
        0,
        0,
    )
    assert (made.created_unix_s, made.expires_unix_s, made.deleted_unix_s) == (1000.0, 2800.0, None)
    with database.reading() as session:
        assert get_endpoint(session, made.endpoint_id) == made == find_endpoint(session, "acme", "plates")
        assert list_endpoints(session, "acme") == [made]
        assert list_endpoints(session, "other") == []


def test_one_that_does_not_expire_has_no_time_for_it(database):
    assert create(database, replace(PLATES, expires=False)).expires_unix_s is None


def test_a_workspace_has_a_name_once_and_another_workspace_gets_a_suffix(database):
    assert create(database).subdomain == "plates"
    with pytest.raises(NameTakenError, match="has an endpoint 'plates' already"):
        create(database)
    other = create(database, replace(PLATES, workspace="bolts"))
    assert other.name == "plates"
    assert other.subdomain.startswith("plates-")


def test_a_workspace_needs_a_name_that_can_be_one(database):
    with pytest.raises(InvalidNameError, match="no name for a workspace"):
        create(database, replace(PLATES, workspace="../etc"))


def test_a_deleted_endpoint_frees_its_name_and_stays_in_the_books(database):
    first = create(database)
    with database.writing() as session:
        change_wanted(session, first.endpoint_id, desired=DesiredState.DELETED, now_unix_s=1001.0)
    gone = move(database, first, ActualState.PENDING, ActualState.DELETED, now_unix_s=1002.0)
    assert gone.deleted_unix_s == 1002.0
    second = create(database, now_unix_s=1003.0)
    with database.reading() as session:
        assert [e.endpoint_id for e in list_endpoints(session)] == [second.endpoint_id]
        assert [e.endpoint_id for e in list_endpoints(session, deleted=True)] == [first.endpoint_id, second.endpoint_id]
    with database.writing() as session, pytest.raises(NotStoredError, match="is deleted"):
        change_wanted(session, first.endpoint_id, desired=DesiredState.RUNNING, now_unix_s=1004.0)


def test_deletion_that_has_begun_cannot_be_undone(database):
    made = create(database)
    with database.writing() as session:
        change_wanted(session, made.endpoint_id, desired=DesiredState.DELETED, now_unix_s=1001.0)
        with pytest.raises(NotStoredError, match="is deleted"):
            change_wanted(session, made.endpoint_id, desired=DesiredState.RUNNING, now_unix_s=1002.0)


def test_only_what_changes_makes_a_new_generation(database):
    made = create(database)
    with database.writing() as session:
        same = change_wanted(session, made.endpoint_id, min_replicas=1, now_unix_s=1001.0)
        grown = change_wanted(session, made.endpoint_id, min_replicas=2, max_replicas=3, now_unix_s=1002.0)
    assert (same.generation, same.changed_unix_s) == (1, 1000.0)
    assert (grown.generation, grown.min_replicas, grown.max_replicas, grown.changed_unix_s) == (2, 2, 3, 1002.0)


def test_a_transition_from_a_state_that_is_over_changes_nothing(database):
    made = create(database)
    ready = move(database, made, ActualState.PENDING, ActualState.READY, num_replicas=2, observed_generation=1)
    assert (ready.actual, ready.num_replicas, ready.observed_generation) == (ActualState.READY, 2, 1)
    with pytest.raises(StateChangedError, match="is ready, no longer pending"):
        move(database, made, ActualState.PENDING, ActualState.FAILED, detail="too late")
    with database.reading() as session:
        assert get_endpoint(session, made.endpoint_id) == ready


def test_of_two_who_move_it_at_once_one_wins(open_again):
    made = create(open_again())
    together = threading.Barrier(2)

    def try_it(to):
        database = open_again()
        together.wait()
        try:
            return move(database, made, ActualState.PENDING, to).actual
        except StateChangedError:
            return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = set(pool.map(try_it, [ActualState.READY, ActualState.FAILED]))
    with open_again().reading() as session:
        assert outcomes == {None, get_endpoint(session, made.endpoint_id).actual}


def test_of_two_who_take_a_name_at_once_one_gets_it(open_again):
    databases = [open_again(), open_again()]
    together = threading.Barrier(2)

    def try_it(database):
        together.wait()
        try:
            return create(database).endpoint_id
        except NameTakenError:
            return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(try_it, databases))
    with databases[0].reading() as session:
        assert [e.endpoint_id for e in list_endpoints(session)] == [made for made in outcomes if made]
    assert outcomes.count(None) == 1


def test_what_fails_in_the_middle_leaves_nothing(database):
    with pytest.raises(RuntimeError, match="stop"), database.writing() as session:  # noqa: PT012 - as it is used
        create_endpoint(session, PLATES, now_unix_s=1000.0)
        raise RuntimeError("stop")
    with database.reading() as session:
        assert list_endpoints(session) == []


def test_every_change_leaves_an_event_and_the_newest_come_first(database):
    made = create(database)
    with database.writing() as session:
        change_wanted(session, made.endpoint_id, desired=DesiredState.PAUSED, now_unix_s=1001.0)
        note_replicas(session, made.endpoint_id, 1)
    move(database, made, ActualState.PENDING, ActualState.FAILED, now_unix_s=1002.0, detail="no such GPU")
    with database.reading() as session:
        assert [(e.at_unix_s, e.severity, e.text) for e in events(session, made.endpoint_id)] == [
            (1002.0, "ERROR", "pending -> failed: no such GPU"),
            (1001.0, "INFO", "wanted: desired=paused"),
            (1000.0, "INFO", "created on dev-cpu"),
        ]
        assert [e.at_unix_s for e in events(session, made.endpoint_id, from_unix_s=1001.0, to_unix_s=1001.5)] == [
            1001.0
        ]
        assert len(events(session, made.endpoint_id, limit=2)) == 2
        assert events(session, "x") == []
    with database.writing() as session:
        assert drop_events(session, before_unix_s=1002.0) == 2
