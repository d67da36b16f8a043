"""The loop over a real database in a file, a platform in memory, and a clock that is set."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from deployments.control.bodies import AddBody, EndpointConfig
from deployments.control.errors import EndpointConflictError, PlatformError
from deployments.control.reconciler import LOOK_EVERY_S
from deployments.control.service import DELETED_WITHIN_S, LOOK_S
from tests.unit.deployments.control.reconciler_house import NAME, TYPES, WORKSPACE, House


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.database.close()


def test_without_endpoints_nothing_is_done(house):
    house.rounds(2)
    assert house.reconciler.round() is False
    assert house.platform.calls == []
    assert house.edge.targets == {}


def test_what_was_deleted_is_in_no_list_from_that_moment_on(house):
    house.add()
    house.settle()
    house.service.delete(WORKSPACE, NAME)
    assert house.service.all_of(WORKSPACE) == []
    assert [endpoint.name for endpoint in house.service.all_of(WORKSPACE, deleted=True)] == [NAME]
    assert house.reconciler.round() is True  # its replicas are still there to be ended


def test_what_is_there_is_looked_after_until_it_is_gone(house):
    house.add()
    assert house.reconciler.round() is True
    house.settle()
    house.service.pause(WORKSPACE, NAME)
    house.settle()
    assert house.reconciler.round() is True
    house.service.delete(WORKSPACE, NAME)
    house.settle()
    assert house.reconciler.round() is False


def test_an_endpoint_is_ready_only_after_the_platform_says_so(house):
    house.add()
    house.rounds(3)
    assert house.status() == "pending"
    assert house.edge.targets == {NAME: "=pending"}
    house.platform.progress()
    house.rounds()
    assert house.status() == "ready"
    assert house.edge.targets[NAME].startswith("/@plates.r")
    assert house.endpoint().num_replicas == 1
    assert house.platform.calls == [("create", NAME)]


def test_one_look_tells_how_many_replicas_there_are(house):
    """So it is told within a second: looks are half a second apart."""
    house.add()
    house.settle()
    ((name, revisions),) = house.platform.running.items()
    ((revision, state),) = revisions.items()
    for num_replicas in (3, 0, 1):  # as autoscaling does, and what dies
        house.platform.running[name][revision] = replace(state, num_replicas=num_replicas)
        house.rounds()
        assert house.endpoint().num_replicas == num_replicas
    assert LOOK_EVERY_S <= 0.5


def test_room_is_asked_for_only_when_something_starts(house, monkeypatch):
    asked = []
    monkeypatch.setattr(house.platform, "capacity", lambda: asked.append(1))
    house.add()
    house.settle()
    before = len(asked)
    house.rounds(5)
    assert (len(asked), before > 0) == (before, True)


def test_the_edge_sends_nothing_to_an_endpoint_before_it_is_suspended(house):
    house.add()
    house.settle()
    targets_when_suspended = []
    suspend = house.platform.suspend
    house.platform.suspend = lambda name: (targets_when_suspended.append(house.edge.targets[name]), suspend(name))
    house.service.pause(WORKSPACE, NAME)
    house.settle()
    assert targets_when_suspended == ["=paused"]
    assert house.status() == "paused"
    assert house.platform.running == {}


def test_a_paused_endpoint_is_resumed(house):
    house.add()
    house.settle()
    house.service.pause(WORKSPACE, NAME)
    house.settle()
    house.service.resume(WORKSPACE, NAME)
    assert house.status() == "pending"
    house.settle()
    assert house.status() == "ready"


def test_a_deleted_endpoint_frees_its_name_and_its_host(house):
    house.add()
    house.settle()
    house.service.delete(WORKSPACE, NAME)
    house.settle()
    assert house.status() == "gone"
    assert house.edge.targets == {}
    assert house.add().subdomain == NAME


def test_a_name_may_be_used_again_right_after_its_endpoint_was_deleted(house):
    first = house.add()
    house.settle()
    house.service.delete(WORKSPACE, NAME)
    second = house.add(kind="big")
    assert house.naps == [LOOK_S]
    assert (second.machine_type, second.subdomain) == ("big", NAME)
    assert second.endpoint_id != first.endpoint_id


def test_a_name_whose_endpoint_does_not_go_is_refused_with_the_reason(house):
    house.add()
    house.settle()
    house.service.delete(WORKSPACE, NAME)
    house.goes_on = False
    with pytest.raises(EndpointConflictError, match="'plates' is still being deleted; ask again in a few seconds"):
        house.add()
    assert sum(house.naps) == pytest.approx(DELETED_WITHIN_S)


def test_the_same_request_again_makes_nothing_new(house):
    assert house.add().endpoint_id == house.add().endpoint_id


def test_what_no_machine_can_hold_fails_with_the_reason(house):
    house.platform.never = "it asks for 1 GPU (the largest machine has 0)"
    house.add()
    house.rounds(2)
    assert house.status() == "failed"
    assert "1 GPU" in house.endpoint().detail
    assert house.platform.calls == []


def test_what_does_not_start_fails_and_takes_nothing(house):
    house.platform.refuses = {"no/1": "there is no model no/1"}
    house.add(config=EndpointConfig(text_reader_model="no/1"))
    house.settle()
    assert house.status() == "failed"
    assert "no/1" in house.endpoint().detail
    assert house.platform.running == {}
    assert house.edge.targets == {NAME: "=failed"}


def test_a_start_that_takes_too_long_fails(house):
    house.add()
    house.rounds()
    house.now += 601
    house.rounds()
    assert house.status() == "failed"
    assert "600 s" in house.endpoint().detail


def test_a_failed_endpoint_is_tried_again_when_resumed(house):
    house.platform.never = "no"
    house.add()
    house.rounds(2)
    house.platform.never = None
    house.service.resume(WORKSPACE, NAME)
    house.settle()
    assert house.status() == "ready"


def test_a_resize_changes_it_in_place(house):
    house.add()
    house.settle()
    before = house.edge.targets
    house.service.resize(WORKSPACE, NAME, 2, 3)
    house.settle()
    assert house.edge.targets == before
    assert house.endpoint().num_replicas == 2
    assert house.platform.calls == [("create", NAME)] * 2


def test_a_change_answers_from_the_old_revision_until_the_new_one_is_ready(house):
    house.add()
    house.settle()
    before = house.edge.targets[NAME]
    house.service.update(WORKSPACE, NAME, {"text_reader_model": "pp_ocr/default"})
    house.rounds(2)
    assert house.status() == "ready"
    assert house.edge.targets[NAME] == before
    assert len(house.platform.running[NAME]) == 2
    house.settle()
    assert house.edge.targets[NAME] not in (before, "=pending")
    assert len(house.platform.running[NAME]) == 1


def test_a_change_that_fails_is_taken_back_and_says_why(house):
    house.platform.refuses = {"no/1": "there is no model no/1"}
    house.add()
    house.settle()
    before = house.edge.targets[NAME]
    house.service.update(WORKSPACE, NAME, {"text_reader_model": "no/1"})
    for _ in range(8):
        house.rounds()
        assert house.edge.targets[NAME] == before
        house.platform.progress()
    assert house.status() == "ready"
    assert "taken back: there is no model no/1" in house.endpoint().detail
    assert len(house.platform.running[NAME]) == 1
    assert house.endpoint().args == {}


@pytest.mark.parametrize(("delete", "status"), [(True, "gone"), (False, "expired")])
def test_an_experiment_ends_with_its_time(house, delete, status):
    house.add(duration=1, delete_on_expiration=delete)
    house.settle()
    house.now += 3600
    house.settle()
    assert house.status() == status
    assert house.platform.running == {}


def test_what_expired_runs_again_for_as_long_when_resumed(house):
    house.add(duration=1, delete_on_expiration=False)
    house.settle()
    house.now += 3600
    house.settle()
    house.service.resume(WORKSPACE, NAME)
    house.settle()
    assert house.status() == "ready"
    assert house.endpoint().expires_unix_s > house.now + 3500


def test_production_never_expires(house):
    house.add(kind="big", duration=1)
    house.settle()
    house.now += 1e6
    house.settle()
    assert house.status() == "ready"


def test_the_name_of_who_needs_the_room_is_not_told_to_another_workspace(house):
    house.platform.room = {"CPU": 2.0}
    house.add("first", "small")
    house.settle()
    house.service.add("others", AddBody(deployment_name="secret1", machine_type="big"))
    house.settle()
    assert house.status("first") == "paused"
    assert house.endpoint("first").detail == "evicted: an endpoint in production needs the room"


def test_experiments_make_room_for_production_and_production_for_nobody(house):
    house.platform.room = {"CPU": 2.0}
    house.add("first", "small")
    house.add("second", "small")
    house.settle()
    house.add("third", "small")
    house.settle()
    assert [house.status(n) for n in ("first", "second", "third")] == ["ready", "ready", "pending"]
    assert "no room" in house.endpoint("third").detail
    house.service.delete(WORKSPACE, "third")
    house.add("prod1", "big")
    house.settle()
    assert [house.status(n) for n in ("first", "second", "prod1")] == ["paused", "paused", "ready"]
    assert "prod1" in house.endpoint("first").detail
    house.add("prod2", "big")
    house.settle()
    assert [house.status(n) for n in ("prod1", "prod2")] == ["ready", "pending"]


def test_more_than_there_is_in_all_fails(house):
    house.platform.room = {"CPU": 1.5}
    house.add("prod1", "big")
    house.rounds(2)
    assert house.status("prod1") == "failed"
    assert "0.5 CPU more" in house.endpoint("prod1").detail


def test_what_nobody_wants_any_more_is_removed_from_the_platform(house):
    house.platform.create(house.add().spec(TYPES.named("small")))
    house.platform.running["stranger"] = house.platform.running.pop(NAME)
    house.settle()
    assert "stranger" not in house.platform.running


def test_a_platform_that_refuses_is_asked_again(house):
    create, failures = house.platform.create, iter([True, True, False])

    def failing(spec):
        if next(failures, False):
            raise PlatformError("busy")
        create(spec)

    house.platform.create = failing
    house.add()
    house.settle()
    assert house.status() == "ready"


def test_usage_is_the_time_between_ready_and_paused(house):
    house.add()
    house.settle()  # looks at 0.0 to 3.0 s; ready at 0.5
    house.rounds(20)  # until 13.0
    house.service.pause(WORKSPACE, NAME)
    house.settle()  # told to stop at 13.5, gone at 14.0
    [(endpoint, intervals)] = house.service.usage(WORKSPACE, 0, house.now)
    assert endpoint.name == NAME
    assert sum(i.seconds for i in intervals) == pytest.approx(13.0, abs=1.0)


def test_usage_of_what_ended_while_nobody_looked_is_right_within_a_second(house):
    house.add()
    house.settle()  # looks at 0.0 to 3.0 s; ready at 0.5
    house.rounds(20)  # until 13.0
    house.platform.running.clear()  # the machine lost power at 13.5
    house.now += 3600
    house.start()
    house.rounds(2)
    [(_, intervals)] = house.service.usage(WORKSPACE, 0, house.now)
    assert sum(i.seconds for i in intervals) == pytest.approx(13.0, abs=1.0)


def test_after_the_machine_was_off_for_long_everything_starts_again(house):
    house.add("started")
    house.settle()
    house.add("starting")
    house.rounds()
    house.platform.running.clear()
    house.now += 3600
    house.start()
    house.settle()
    assert (house.status("started"), house.status("starting")) == ("ready", "ready")


def test_what_vanishes_while_it_is_looked_after_is_started_again_and_may_take_as_long_as_any_start(house):
    house.add()
    house.settle()
    house.now += 3600
    house.rounds()
    house.platform.running.clear()
    house.rounds(2)
    assert house.status() == "pending"
    house.now += 601
    house.rounds(2)
    assert house.status() == "failed"


def test_a_change_that_fails_after_the_old_revision_was_lost_goes_back_to_what_was_good(house):
    house.platform.refuses = {"no/1": "there is no model no/1"}
    house.add()
    house.settle()
    house.service.update(WORKSPACE, NAME, {"text_reader_model": "no/1"})
    house.rounds()
    house.platform.running.clear()
    house.settle()
    house.settle()
    assert house.status() == "ready"
    assert "there is no model no/1" in house.endpoint().detail
    assert house.endpoint().args == {}


def test_while_nothing_changes_it_writes_once_a_second_for_all_endpoints(house, monkeypatch):
    for number in range(5):
        house.add(f"plates-{number}")
    house.settle()
    house.rounds(4)
    written = count_writes(house, monkeypatch)
    house.rounds(20)  # 10 s
    assert len(written) == 10


def test_while_nothing_runs_it_writes_nothing(house, monkeypatch):
    house.add()
    house.settle()
    house.service.pause(WORKSPACE, NAME)
    house.settle()
    written = count_writes(house, monkeypatch)
    house.rounds(20)
    assert written == []


def test_what_was_seen_last_is_written_down_at_the_end(house):
    house.add()
    house.settle()
    house.now += 0.25
    house.reconciler.round()
    house.reconciler.stop()
    house.reconciler.run()
    [(_, [interval])] = house.service.usage(WORKSPACE, 0, house.now + 1)
    assert interval.ended_unix_s == house.now


def count_writes(house, monkeypatch):
    """A list that grows with each transaction that writes."""
    written = []
    writing = house.database.writing
    monkeypatch.setattr(house.database, "writing", lambda: written.append(None) or writing())
    return written


JOURNEYS = {
    "create": (lambda h: h.add(), "ready"),
    "pause": (lambda h: h.service.pause(WORKSPACE, NAME), "paused"),
    "resume": (lambda h: h.service.resume(WORKSPACE, NAME), "ready"),
    "update": (lambda h: h.service.update(WORKSPACE, NAME, {"text_reader_model": "b/1"}), "ready"),
    "refused": (lambda h: h.service.update(WORKSPACE, NAME, {"text_reader_model": "no/1"}), "ready"),
    "delete": (lambda h: h.service.delete(WORKSPACE, NAME), "gone"),
}


@pytest.mark.parametrize("journey", JOURNEYS)
def test_killed_at_any_step_of_any_journey_it_finishes_what_it_began(tmp_path, monkeypatch, journey):
    """Whichever call of the platform, the edge or the database it dies before, the next ends where it should."""
    from deployments.control import reconciler as module

    before = House(tmp_path)
    before.platform.refuses = {"no/1": "no"}
    for name, (act, _) in JOURNEYS.items():
        act(before)
        if name == journey:
            break
        before.settle()
    before.database.close()
    died = 0
    for number in itertools.count():
        folder = tmp_path / f"{number}"
        folder.mkdir()
        house = House(folder, like=before)
        countdown = iter(range(number, -1, -1))

        def deadly(real, countdown=countdown):
            def call(*args, **kwargs):
                if next(countdown, None) == 0:
                    raise KilledError
                return real(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for step in ("observe", "create", "update", "resume", "suspend", "delete", "retire"):
                patch.setattr(house.platform, step, deadly(getattr(house.platform, step)))
            patch.setattr(house.edge, "lead", deadly(house.edge.lead))
            for step in ("transition", "change_wanted", "observe_replicas", "end_usage", "still_running"):
                patch.setattr(module, step, deadly(getattr(module, step)))
            try:
                house.settle()
                was_killed = False
            except KilledError:
                was_killed = True
        house.start()
        house.settle()
        assert house.status() == JOURNEYS[journey][1], f"killed at step {number}"
        ready = JOURNEYS[journey][1] == "ready"
        assert len(house.platform.running.get(NAME, {})) == (1 if ready else 0)
        if ready:
            assert house.edge.targets[NAME].startswith("/@")
        house.database.close()
        if not was_killed:
            break
        died += 1
    assert died >= 5
