import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployments.storage.database import open_database, sqlite_url
from deployments.storage.endpoints import NewEndpoint, create_endpoint
from deployments.storage.usage import WRITTEN_EVERY_S, end_usage, observe_replicas, still_running, usage

ALWAYS = {"from_unix_s": 0.0, "to_unix_s": 1e12}
LOOK_S = 0.5
"""Time between two looks of a control plane that is there."""


def endpoint(database, workspace="acme", name="plates"):
    new = NewEndpoint(workspace=workspace, name=name, machine_type="dev-cpu", creator_email="a@acme.example")
    with database.writing() as session:
        return create_endpoint(session, new, now_unix_s=1000.0).endpoint_id


def look(database, endpoint_id, running, now_unix_s, seen_unix_s=None):
    with database.writing() as session:
        observe_replicas(session, endpoint_id, running, now_unix_s=now_unix_s, seen_unix_s=seen_unix_s)


def used(database, **asked):
    with database.reading() as session:
        return [(i.replica, i.began_unix_s, i.ended_unix_s, i.is_open) for i in usage(session, **ALWAYS | asked)]


def test_an_endpoint_that_never_ran_used_nothing(database):
    made = endpoint(database)
    look(database, made, [], 1000.0)
    assert used(database, endpoint_id=made) == []


def test_a_replica_that_runs_has_an_open_interval_that_grows(database):
    made = endpoint(database)
    for now_unix_s in (1000.0, 1000.5, 1000.5, 1001.0):
        look(database, made, ["r1"], now_unix_s)
    assert used(database, endpoint_id=made) == [("r1", 1000.0, 1001.0, True)]


def test_one_that_is_stopped_ends_at_that_instant_and_one_that_is_found_gone_when_it_was_last_seen(database):
    made = endpoint(database)
    look(database, made, ["r1", "r2"], 1000.0)
    look(database, made, ["r1", "r2"], 1001.0)
    look(database, made, ["r1"], 1002.0, seen_unix_s=1001.5)
    with database.writing() as session:
        end_usage(session, made, now_unix_s=1002.25)
    assert used(database, endpoint_id=made) == [("r1", 1000.0, 1002.25, False), ("r2", 1000.0, 1001.5, False)]


def test_one_whose_end_nobody_saw_ended_in_the_middle_of_the_time_in_which_it_may_have_been(database):
    made = endpoint(database)
    look(database, made, ["r1"], 1000.0)
    with database.writing() as session:
        still_running(session, [made], now_unix_s=1010.0)
    look(database, made, [], 5000.0)
    assert used(database, endpoint_id=made) == [("r1", 1000.0, 1010.0 + WRITTEN_EVERY_S / 2, False)]


def test_what_still_runs_is_written_down_for_all_that_are_named_and_for_no_other(database):
    first, second, third = (endpoint(database, name=f"plates-{number}") for number in range(3))
    for made in (first, second, third):
        look(database, made, ["r1"], 1000.0)
    look(database, second, [], 1001.0, seen_unix_s=1000.5)
    with database.writing() as session:
        still_running(session, [], now_unix_s=1001.0)
        still_running(session, [first, second], now_unix_s=1002.0)
        still_running(session, [first], now_unix_s=1001.5)
    ends = [used(database, endpoint_id=made) for made in (first, second, third)]
    assert ends == [[("r1", 1000.0, 1002.0, True)], [("r1", 1000.0, 1000.5, False)], []]


def test_one_replica_of_several_can_be_stopped(database):
    made = endpoint(database)
    look(database, made, ["r1", "r2"], 1000.0)
    with database.writing() as session:
        end_usage(session, made, now_unix_s=1003.0, replicas={"r2"})
    look(database, made, ["r1"], 1004.0)
    assert used(database, endpoint_id=made) == [("r1", 1000.0, 1004.0, True), ("r2", 1000.0, 1003.0, False)]


def test_only_what_lies_in_the_asked_time_counts(database):
    made = endpoint(database)
    look(database, made, ["r1"], 1000.0)
    look(database, made, ["r1"], 1100.0)
    with database.writing() as session:
        end_usage(session, made, now_unix_s=1100.0)
    assert used(database, from_unix_s=1010.0, to_unix_s=1030.0) == [("r1", 1010.0, 1030.0, False)]
    assert used(database, from_unix_s=1100.0, to_unix_s=1200.0) == []
    assert used(database, from_unix_s=900.0, to_unix_s=1000.0) == []


def test_a_workspace_sees_its_own_endpoints_alone(database):
    mine, other = endpoint(database), endpoint(database, workspace="bolts")
    for made in (mine, other):
        look(database, made, ["r1"], 1000.0)
        look(database, made, ["r1"], 1001.0)
    with database.reading() as session:
        assert {i.endpoint_id for i in usage(session, workspace="acme", **ALWAYS)} == {mine}
        assert len(usage(session, **ALWAYS)) == 2


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["pause", "resume", "replica dies", "grow", "control plane dies", "machine dies", "expire"]),
        st.integers(min_value=0, max_value=40),  # quarters of a second until the next one
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def one_database(tmp_path_factory):
    opened = open_database(sqlite_url(tmp_path_factory.mktemp("usage") / "a.db"))
    yield opened
    opened.close()


@settings(max_examples=25, deadline=None)
@given(happened=EVENTS, offset_s=st.sampled_from([0.0, 0.2]))
def test_intervals_add_up_to_the_time_that_replicas_ran(one_database, happened, offset_s):
    """The truth is kept beside it: when each replica began and ended, by the clock that is passed in.

    What is written is what a control plane writes: changes, and once in a while that all run on. Only a replica that
    died unseen may differ, and by less than a second.
    """
    database = one_database
    made = endpoint(database, name=f"e-{uuid.uuid4().hex}")
    now_s, written_s, made_replicas = 1000.0, 1000.0, 0
    remembered: tuple[set[str], float] | None = None  # by the control plane: what ran at its last look, and when
    running: dict[str, float] = {}
    truth: dict[str, tuple[float, float, bool]] = {}  # replica -> began, ended, whether it was stopped by us

    def start():
        nonlocal made_replicas
        made_replicas += 1
        running[f"r{made_replicas}"] = now_s

    def see():
        nonlocal remembered, written_s
        if remembered is None or remembered[0] != set(running):
            look(database, made, list(running), now_s, None if remembered is None else remembered[1])
        if now_s - written_s >= WRITTEN_EVERY_S:
            with database.writing() as session:
                still_running(session, [made], now_unix_s=now_s)
            written_s = now_s
        remembered = (set(running), now_s)

    def stop(by_us):
        truth.update({replica: (began, now_s, by_us) for replica, began in running.items()})
        running.clear()

    start()
    see()
    for what, quarters in happened:
        away = what in ("control plane dies", "machine dies")
        if what in ("pause", "expire"):
            stop(by_us=True)
            with database.writing() as session:
                end_usage(session, made, now_unix_s=now_s)
        elif what == "replica dies" and running:
            replica = next(iter(running))
            truth[replica] = (running.pop(replica), now_s, False)
        elif what == "machine dies":
            stop(by_us=False)
        elif what == "grow" or (what == "resume" and not running):
            start()
            see()
        until_s = now_s + quarters * 0.25 + offset_s
        while not away and now_s + LOOK_S <= until_s:
            now_s += LOOK_S
            see()
        now_s = until_s
        if away:
            remembered = None
            see()
    see()
    with database.writing() as session:  # as at the orderly end of a control plane
        still_running(session, [made], now_unix_s=now_s)
    truth.update({replica: (began, now_s, True) for replica, began in running.items()})

    with database.reading() as session:
        counted = {i.replica: i.seconds for i in usage(session, endpoint_id=made, **ALWAYS)}
    for replica, (began_s, ended_s, exact) in truth.items():
        missing_s = ended_s - began_s - counted.get(replica, 0.0)
        assert missing_s == pytest.approx(0.0, abs=1e-6) if exact else -WRITTEN_EVERY_S / 2 <= missing_s <= 1.0
    assert set(counted) <= set(truth)
