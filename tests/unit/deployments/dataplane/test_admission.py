"""The door, with a clock that stands still unless it is moved."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import pairwise

import pytest

from deployments.dataplane.admission import Admission, Ticket
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


def answer_crowd(admission: Admission, clock: Clock, count: int, each_s: float, times: int) -> None:
    """`count` requests are always in, and one leaves every `each_s`."""
    tickets = [admission.enter() for _ in range(count)]
    for _ in range(times):
        clock.now_s += each_s
        admission.leave(tickets.pop(0))
        tickets.append(admission.enter())
    for ticket in tickets:
        admission.leave(ticket, answered=False)


def enter_until_refused(admission: Admission) -> list[Ticket]:
    tickets = []
    with suppress(OverloadedError):
        while True:
            tickets.append(admission.enter())
    return tickets


def test_nothing_is_known_before_the_first_answer():
    admission, _ = make(first_in_flight=30)
    assert (admission.rate_s, admission.alone_s, admission.most_in_flight) == (0.0, 0.0, 30)


def test_a_server_whose_speed_nobody_knows_takes_a_burst():
    admission, _ = make(first_in_flight=64)
    assert len(enter_until_refused(admission)) == 64


def test_requests_that_come_one_after_another_say_how_long_one_takes_and_not_how_many_a_second_are_possible():
    admission, clock = make()
    answer_alone(admission, clock, 0.5, times=40)
    assert admission.alone_s == pytest.approx(0.5)
    assert admission.rate_s == 0.0


def test_a_crowd_says_how_many_are_answered_a_second():
    admission, clock = make(min_in_flight=4)
    answer_crowd(admission, clock, 8, 0.125, times=800)
    assert admission.rate_s == pytest.approx(8.0, rel=0.03)


def test_idle_time_says_nothing_about_speed():
    admission, clock = make(min_in_flight=4)
    for _ in range(40):
        answer_crowd(admission, clock, 8, 0.125, times=20)
        clock.now_s += 100
    assert admission.rate_s == pytest.approx(8.0, rel=0.05)


def test_a_burst_may_be_half_as_much_again_as_what_is_let_in_after_a_refusal():
    admission, clock = make(min_in_flight=4, free_in_flight=16, max_slowdown=6)
    answer_alone(admission, clock, 0.25, times=100)
    answer_crowd(admission, clock, 8, 0.125, times=800)
    tickets = enter_until_refused(admission)
    assert len(tickets) in (17, 18, 19)  # 1.5 * 8 * 0.25 * 6
    assert admission.counters.refused == {"time": 1}
    admission.leave(tickets.pop())
    assert len(enter_until_refused(admission)) == 0
    for _ in range(7):
        clock.now_s += 0.125
        admission.leave(tickets.pop())
    assert len(enter_until_refused(admission)) in (0, 1, 2)  # 8 * 0.25 * 6 = 12 may be in
    clock.now_s += 5.1
    assert admission.most_in_flight >= 16


def test_some_may_always_be_in_and_some_more_while_none_was_refused():
    admission, clock = make(min_in_flight=4, free_in_flight=16, max_slowdown=1, prompt_s=0.1)
    answer_alone(admission, clock, 0.1, times=10)
    answer_crowd(admission, clock, 8, 0.125, times=800)
    tickets = enter_until_refused(admission)
    assert len(tickets) == 16
    for ticket in tickets:
        admission.leave(ticket)
    assert len(enter_until_refused(admission)) == 4


def test_requests_that_met_others_do_not_say_what_one_takes_alone():
    admission, clock = make()
    answer_alone(admission, clock, 0.25, times=10)
    first, second = admission.enter(), admission.enter()
    clock.now_s += 100.0
    admission.leave(first)  # found none, and leaves one behind
    admission.leave(second)  # found one
    assert admission.alone_s == pytest.approx(0.25)


def test_the_quickest_stands_in_while_none_was_alone():
    admission, clock = make()
    tickets = [admission.enter() for _ in range(3)]
    for ticket in tickets[:2]:
        clock.now_s += 0.5
        admission.leave(ticket)
    assert admission.alone_s == pytest.approx(0.5)


def simulate(admission: Admission, clock: Clock, arrival_rate: float, seconds: float, seed: int) -> list[float]:
    """Times of the requests let in, when two workers take 0.1 s for each and the first come are the first served."""
    dice = random.Random(seed)
    end_s, arrival_s = clock.now_s + seconds, clock.now_s
    free_s = [clock.now_s, clock.now_s]
    leaving: list[tuple[float, float, Ticket]] = []
    times = []
    while arrival_s < end_s or leaving:
        if leaving and (arrival_s >= end_s or leaving[0][0] <= arrival_s):
            clock.now_s, entered_s, ticket = leaving.pop(0)
            admission.leave(ticket)
            times.append(clock.now_s - entered_s)
            continue
        clock.now_s = arrival_s
        arrival_s += dice.expovariate(arrival_rate)
        try:
            ticket = admission.enter()
        except OverloadedError:
            continue
        worker = free_s.index(min(free_s))
        free_s[worker] = max(free_s[worker], clock.now_s) + 0.1
        leaving.append((free_s[worker], clock.now_s, ticket))
        leaving.sort(key=lambda entry: entry[0])
    return times


def test_a_burst_of_quick_requests_is_let_in_though_each_takes_many_times_as_long_as_alone():
    admission, clock = make(prompt_s=0.5)
    answer_alone(admission, clock, 0.01, times=10)
    answer_crowd(admission, clock, 8, 0.01, times=1000)
    assert 70 < len(enter_until_refused(admission)) < 80  # 100 a second, half of one, half as many again in a burst


@pytest.mark.parametrize("seed", range(5))
def test_three_times_too_many_requests_are_answered_as_fast_as_possible_and_none_of_them_late(seed):
    admission, clock = make()
    answer_alone(admission, clock, 0.1, times=5)
    calm = sorted(simulate(admission, clock, 0.8 * 20, 60, seed))  # two workers can answer 20 a second
    assert len(calm) > 0.7 * 20 * 60
    clock.now_s += 60
    flood = sorted(simulate(admission, clock, 3 * 20, 60, seed + 100))
    assert len(flood) >= 0.95 * 20 * 60
    assert flood[int(0.99 * len(flood))] <= 2 * calm[int(0.99 * len(calm))]


def test_the_fixed_bound_holds_whatever_the_speed():
    admission, _ = make(min_in_flight=2, max_in_flight=2)
    admission.enter()
    admission.enter()
    with pytest.raises(OverloadedError):
        admission.enter()
    assert admission.counters.refused == {"count": 1}


def test_a_request_that_would_be_answered_too_late_is_refused_at_once():
    admission, clock = make(min_in_flight=2, max_in_flight=100, max_slowdown=50)
    answer_alone(admission, clock, 0.5, times=10)
    answer_crowd(admission, clock, 4, 0.5, times=100)
    for _ in range(5):
        admission.enter()
    with pytest.raises(OverloadedError, match=r"about 3\.\d s now, longer than the 2 s"):
        admission.enter(timeout_s=2.0)
    assert admission.counters.refused == {"deadline": 1}
    admission.enter(timeout_s=4.0)


def test_a_stall_says_nothing_of_speed():
    admission, clock = make(min_in_flight=2, free_in_flight=16, max_slowdown=50)
    answer_crowd(admission, clock, 4, 0.125, times=100)
    tickets = [admission.enter() for _ in range(8)]
    clock.now_s += 60  # the detector died and starts anew
    assert admission.rate_s == pytest.approx(8.0, rel=0.05)
    tickets.append(admission.enter(timeout_s=2.0))
    for ticket in tickets:
        clock.now_s += 1.0  # eight times as slow from now on, which is believed
        admission.leave(ticket)
    assert admission.rate_s < 4


def test_bytes_are_bounded_for_all_together():
    admission, _ = make(max_in_flight_bytes=100)
    ticket = admission.enter(60)
    with pytest.raises(OverloadedError, match="take 60 bytes"):
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
    admission, clock = make(min_in_flight=1, max_in_flight=4)
    answer_crowd(admission, clock, 4, 0.5, times=100)
    for _ in range(4):
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
    admission, clock = make(min_in_flight=1, max_in_flight=4, max_retry_after_s=5)
    answer_crowd(admission, clock, 4, 3.0, times=100)
    enter_until_refused(admission)
    for _ in range(10):
        with pytest.raises(OverloadedError) as refused:
            admission.enter()
    assert refused.value.retry_after_s == 5.0


def retry_after_s(admission: Admission, **request) -> float:
    with pytest.raises(OverloadedError) as refused:
        admission.enter(**request)
    return refused.value.retry_after_s


def test_a_client_at_its_own_limit_that_comes_again_and_again_does_not_make_others_wait_longer():
    admission, clock = make(min_in_flight=1, max_in_flight=4, max_in_flight_per_client=2)
    answer_crowd(admission, clock, 4, 0.5, times=100)
    for client in ("greedy", "greedy", "b", "b"):
        admission.enter(client=client)
    for _ in range(400):
        with pytest.raises(ClientOverLimitError):
            admission.enter(client="greedy")
    assert retry_after_s(admission, client="c") == 1.0


@pytest.mark.parametrize(("others", "waits_s"), [(0, 1.0), (4, 3.0), (100, 5.0)])
def test_a_client_at_its_own_limit_is_told_when_one_of_its_own_requests_has_left(others, waits_s):
    limits = {"max_in_flight": 200, "first_in_flight": 200, "max_slowdown": 200.0, "max_retry_after_s": 5}
    admission, clock = make(min_in_flight=2, max_in_flight_per_client=2, **limits)
    answer_crowd(admission, clock, 4, 1.0, times=100)  # one leaves a second
    for client in ["greedy"] * 2 + [None] * others:
        admission.enter(client=client)
    assert retry_after_s(admission, client="greedy") == pytest.approx(waits_s, rel=0.05)
    assert retry_after_s(admission, client="greedy") == pytest.approx(waits_s, rel=0.05)


def test_whose_answer_would_come_too_late_is_told_when_it_would_not_and_does_not_make_others_wait_longer():
    admission, clock = make(min_in_flight=1, max_in_flight=8, max_slowdown=50)
    answer_crowd(admission, clock, 4, 0.5, times=100)
    for _ in range(7):
        admission.enter()
    for _ in range(400):
        assert retry_after_s(admission, timeout_s=1.0) == pytest.approx(3.0, rel=0.05)  # eight in 4 s
    admission.enter()
    assert retry_after_s(admission) == 1.0


def test_the_line_is_no_longer_than_those_refused_in_the_last_second_explain():
    admission, clock = make(min_in_flight=1, max_in_flight=4)
    answer_crowd(admission, clock, 4, 0.5, times=100)
    for _ in range(4):
        admission.enter()
    assert max(retry_after_s(admission) for _ in range(400)) == 30.0
    clock.now_s += 10.0
    assert retry_after_s(admission) == pytest.approx(1.0, abs=0.1)


def test_leaving_twice_gives_back_one_place():
    admission, _ = make()
    first, _ = admission.enter(10), admission.enter(20)
    admission.leave(first)
    admission.leave(first)
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (1, 20)


def test_whatever_happens_the_counters_go_back_to_zero():
    admission, clock = make(max_in_flight_bytes=10_000, max_in_flight_per_client=5, min_in_flight=30)
    dice = random.Random(7)
    tickets = []
    for _ in range(10_000):
        clock.now_s += dice.random() / 100
        if tickets and dice.random() < 0.48:
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
