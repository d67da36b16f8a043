"""The door, with a clock that stands still unless it is moved."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from deployments.dataplane.admission import Admission
from deployments.errors import ClientOverLimitError, OverloadedError
from deployments.settings import AdmissionLimits


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make(**limits) -> tuple[Admission, Clock]:
    clock = Clock()
    return Admission(AdmissionLimits(**limits), clock), clock


def answer_alone(admission: Admission, clock: Clock, seconds: float, times: int = 1) -> None:
    """Requests one after another, each of which takes `seconds`."""
    for _ in range(times):
        ticket = admission.enter()
        clock.now_s += seconds
        admission.leave(ticket)


def test_nothing_is_known_before_the_first_answer():
    admission, _ = make(min_in_flight=3)
    assert (admission.rate_s, admission.alone_s, admission.most_in_flight) == (0.0, 0.0, 3)


def test_one_request_after_another_says_how_long_one_takes():
    admission, clock = make()
    answer_alone(admission, clock, 0.5, times=40)
    assert admission.rate_s == pytest.approx(2.0, rel=0.06)
    assert admission.alone_s == pytest.approx(0.5)


def test_idle_time_says_nothing_about_speed():
    admission, clock = make()
    for _ in range(40):
        answer_alone(admission, clock, 0.5)
        clock.now_s += 100
    assert admission.rate_s == pytest.approx(2.0, rel=0.06)


def test_as_many_come_in_as_can_be_answered_in_a_few_times_the_time_of_one():
    admission, clock = make(min_in_flight=1, max_slowdown=10, few_in_flight=1)
    answer_alone(admission, clock, 0.25, times=100)
    tickets = [admission.enter() for _ in range(8)]
    for _ in range(800):  # eight are always in, and eight leave a second
        clock.now_s += 0.125
        admission.leave(tickets.pop())
        tickets.append(admission.enter())
    assert admission.rate_s == pytest.approx(8.0, rel=0.03)
    assert admission.most_in_flight in (19, 20, 21)  # 8 * 0.25 * 10
    for _ in range(admission.most_in_flight - 8):
        admission.enter()
    with pytest.raises(OverloadedError, match="requests are under way"):
        admission.enter()
    assert admission.counters.refused == {"time": 1}
    admission.leave(tickets[0])
    admission.enter()


def test_requests_that_found_many_others_do_not_say_what_one_takes_alone():
    admission, clock = make(few_in_flight=1)
    answer_alone(admission, clock, 0.25, times=10)
    tickets = [admission.enter() for _ in range(8)]
    clock.now_s += 100.0
    for ticket in tickets[1:]:
        admission.leave(ticket)
    assert admission.alone_s == pytest.approx(0.25)


def test_the_fixed_bound_holds_whatever_the_speed():
    admission, _ = make(min_in_flight=2, max_in_flight=2)
    admission.enter()
    admission.enter()
    with pytest.raises(OverloadedError):
        admission.enter()
    assert admission.counters.refused == {"count": 1}


def test_a_request_that_would_be_answered_too_late_is_refused_at_once():
    admission, clock = make(min_in_flight=2, max_in_flight=100, max_slowdown=50)
    answer_alone(admission, clock, 0.5, times=100)
    for _ in range(5):
        admission.enter()
    with pytest.raises(OverloadedError, match=r"about 3\.\d s now, longer than the 2 s"):
        admission.enter(timeout_s=2.0)
    assert admission.counters.refused == {"deadline": 1}
    admission.enter(timeout_s=4.0)


def test_bytes_are_bounded_for_all_together():
    admission, _ = make(max_in_flight_bytes=100)
    ticket = admission.enter(60)
    with pytest.raises(OverloadedError, match="hold 60 bytes"):
        admission.enter(41)
    admission.enter(40)
    admission.leave(ticket)
    admission.enter(60)
    assert admission.counters.in_flight_bytes == 100


def test_a_body_grows_as_far_as_there_is_room():
    admission, _ = make(max_in_flight_bytes=100)
    ticket = admission.enter()
    admission.grow(ticket, 70)
    admission.grow(ticket, 50)  # no more than was counted
    admission.enter(30)
    with pytest.raises(OverloadedError):
        admission.grow(ticket, 71)
    assert admission.counters.in_flight_bytes == 100
    admission.leave(ticket)
    assert admission.counters.in_flight_bytes == 30


def test_a_client_has_no_more_than_its_share_and_the_others_do_not_pay_for_it():
    admission, _ = make(max_in_flight_per_client=2)
    ticket = admission.enter(client="a")
    admission.enter(client="a")
    with pytest.raises(ClientOverLimitError):
        admission.enter(client="a")
    admission.enter(client="b")
    admission.enter()
    admission.leave(ticket)
    admission.enter(client="a")


def test_each_refused_client_is_told_a_time_of_its_own_at_the_speed_at_which_requests_leave():
    admission, clock = make(min_in_flight=1, max_in_flight=1)
    answer_alone(admission, clock, 0.5, times=100)  # two a second
    admission.enter()
    told = []
    for _ in range(5):
        with pytest.raises(OverloadedError) as refused:
            admission.enter()
        told.append(refused.value.retry_after_s)
    assert told[0] == 1.0
    gaps = [later - sooner for sooner, later in pairwise(told)]
    assert gaps == pytest.approx([0.5] * 4, rel=0.05)


def test_no_client_is_told_to_wait_longer_than_the_limit():
    admission, clock = make(min_in_flight=1, max_in_flight=1, max_retry_after_s=5)
    answer_alone(admission, clock, 3.0, times=100)
    admission.enter()
    for _ in range(10):
        with pytest.raises(OverloadedError) as refused:
            admission.enter()
    assert refused.value.retry_after_s == 5.0


def test_leaving_twice_gives_back_one_place():
    admission, _ = make()
    first, _ = admission.enter(10), admission.enter(20)
    admission.leave(first)
    admission.leave(first)
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (1, 20)


def test_whatever_happens_the_counters_go_back_to_zero():
    admission, clock = make(max_in_flight_bytes=10_000, max_in_flight_per_client=10)
    dice = random.Random(7)
    tickets = []
    for _ in range(10_000):
        clock.now_s += dice.random() / 100
        if tickets and dice.random() < 0.4:
            admission.leave(tickets.pop(dice.randrange(len(tickets))), answered=dice.random() < 0.8)
            continue
        try:
            tickets.append(admission.enter(dice.randrange(1500), client=dice.choice(["a", "b", None]), timeout_s=5))
            admission.grow(tickets[-1], dice.randrange(2000))
        except (OverloadedError, ClientOverLimitError):
            pass
    assert set(admission.counters.refused) >= {"bytes", "client"}
    for ticket in tickets:
        admission.leave(ticket)
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (0, 0)
    assert not admission._by_client
