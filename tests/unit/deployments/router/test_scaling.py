"""The decision about replicas, on a deployment made of a few lines: a queue, workers, and a clock."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from deployments.router.scaling import Look, Memory, wanted_replicas

LOOK_EVERY_S = 0.25
START_S = 4.0
MOST = 8


@dataclass
class Deployment:
    """Replicas that take one piece of work at a time, in the order in which it came; a new one serves after 4 s."""

    service_s: float
    running: int = 1
    idle_cores: float | None = None
    least: int = 1
    wanted: int = 1
    busy_s: float = 0.0
    waiting: list[float] = field(default_factory=list)  # when each came
    under_way: list[float] = field(default_factory=list)  # when each will be done
    starting: list[float] = field(default_factory=list)  # when each will serve
    history: list[tuple[float, int]] = field(default_factory=list)  # of decisions
    memory: Memory = field(default_factory=Memory)

    def advance(self, now_s: float, arrivals: list[float]) -> None:
        """Do what happens until now: arrivals, starts and ends in the order of their times."""
        events = [(at, 0) for at in arrivals] + [(at, 1) for at in self.starting if at <= now_s]
        self.starting = [at for at in self.starting if at > now_s]
        heapq.heapify(events)
        while True:
            done_s = self.under_way[0] if self.under_way else math.inf
            next_s = min(done_s, events[0][0] if events else math.inf)
            if next_s > now_s:
                return
            if next_s == done_s:
                heapq.heappop(self.under_way)
            elif heapq.heappop(events)[1]:
                self.running += 1
            else:
                self.waiting.append(next_s)
            while self.waiting and len(self.under_way) < self.running:
                self.waiting.pop(0)
                heapq.heappush(self.under_way, next_s + self.service_s)
                self.busy_s += self.service_s

    def decide(self, now_s: float) -> None:
        look = Look(
            now_s=now_s,
            running=self.running,
            wanted=self.wanted,
            wait_s=now_s - self.waiting[0] if self.waiting else 0.0,
            item_s=self.service_s,
            busy_s=self.busy_s,
            pending=len(self.waiting) + len(self.under_way),
            idle_cores=self.idle_cores,
        )
        wanted, self.memory = wanted_replicas(look, self.memory)
        wanted = max(self.least, min(MOST, wanted))
        if wanted == self.wanted:
            return
        self.history.append((now_s, wanted))
        self.starting += [now_s + START_S] * (wanted - self.wanted)
        self.running -= max(0, self.running - wanted)
        self.wanted = wanted

    def changes(self, since_s: float = 0.0) -> list[int]:
        return [wanted for at, wanted in self.history if at >= since_s]


def run(deployment: Deployment, rate: Callable[[float], float], seconds: float, seed: int | None) -> Deployment:
    """Drive it by a rate of arrivals over time; evenly spaced without a seed, Poisson with one."""
    dice = None if seed is None else random.Random(seed)
    now_s, due = 0.0, 0.0
    need = 1.0 if dice is None else dice.expovariate(1)
    while now_s < seconds:
        arrivals = []
        for step in range(25):  # a hundredth of a second each
            at = now_s + step / 100
            due += rate(at) / 100
            while due >= need:
                arrivals.append(at)
                due -= need
                need = 1.0 if dice is None else dice.expovariate(1)
        now_s += LOOK_EVERY_S
        deployment.advance(now_s, arrivals)
        deployment.decide(now_s)
    return deployment


def reversals(history: list[int], first: int = 1) -> int:
    """How often growth turns into shrinking, or back."""
    steps = [later - sooner for sooner, later in pairwise([first, *history])]
    return sum(one * other < 0 for one, other in pairwise(steps))


# Requests a second; a replica answers 20.
CONSTANT = {f"constant at {share} of one replica": share * 20 for share in (0.1, 0.3, 0.45, 0.65, 0.8, 0.9, 1.5, 2.6)}


@pytest.mark.parametrize("rate", CONSTANT.values(), ids=CONSTANT)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_constant_load_is_answered_by_a_number_that_does_not_swing(rate, seed):
    deployment = run(Deployment(0.05), lambda _: rate, 1200, seed)
    assert reversals(deployment.changes()) == 0
    assert len(deployment.changes(since_s=300)) <= 1
    assert deployment.running * 20 > rate
    assert not deployment.waiting or 1200 - deployment.waiting[0] < 1
    assert deployment.running <= math.ceil(2 * rate / 20) + 1


@pytest.mark.parametrize("seed", [None, 3])
def test_a_load_that_rises_slowly_is_followed_upwards_alone(seed):
    deployment = run(Deployment(0.05), lambda at: 4 + at / 10, 900, seed)  # to 94 a second
    assert deployment.changes() == sorted(deployment.changes())
    assert 5 <= deployment.running <= 7


@pytest.mark.parametrize("seed", [None, 4])
def test_a_load_that_falls_slowly_is_followed_downwards_alone(seed):
    deployment = Deployment(0.05, running=6, wanted=6)
    run(deployment, lambda at: max(2.0, 90 - at / 10), 1500, seed)
    assert deployment.changes() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("period_s", [10, 60, 120])
@pytest.mark.parametrize("seed", [None, 5])
def test_quick_waves_do_not_make_the_number_swing(period_s, seed):
    deployment = run(Deployment(0.05), lambda at: 25 + 20 * math.sin(2 * math.pi * at / period_s), 1200, seed)
    assert reversals(deployment.changes()) == 0
    assert 2 <= deployment.running <= 4


def test_slow_waves_are_followed_once_each():
    deployment = run(Deployment(0.05), lambda at: 30 - 28 * math.cos(2 * math.pi * at / 1200), 3600, 6)
    assert reversals(deployment.changes()) == 5  # up and down, three times
    assert max(deployment.changes()) in (3, 4, 5)


@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("seed", [None, 7])
def test_a_step_is_answered_within_a_second_and_enough_come(times, seed):
    deployment = run(Deployment(0.05), lambda at: 8.0 if at < 60 else 20.0 * times, 180, seed)
    assert deployment.history[0][0] - 60 <= 1.0
    assert deployment.changes(since_s=60) == deployment.changes()
    assert deployment.running * 20 > 20 * times or deployment.running == MOST
    assert not deployment.waiting or 180 - deployment.waiting[0] < 1


def test_after_a_step_back_replicas_go_one_by_one_and_not_at_once():
    deployment = run(Deployment(0.05), lambda at: 70.0 if at < 120 else 2.0, 900, 8)
    downs = [at for at, _ in deployment.history if at > 120]
    assert deployment.running == 1
    assert downs[0] >= 180
    assert all(later - sooner >= 60 for sooner, later in pairwise(downs))


def test_no_replica_is_added_where_no_core_is_idle():
    busy = run(Deployment(0.05, idle_cores=0.2), lambda _: 60.0, 60, 9)
    assert busy.changes() == []
    assert run(Deployment(0.05, idle_cores=1.4), lambda _: 60.0, 60, 9).changes()


def test_sixteen_clients_of_a_laptop_get_the_half_core_that_one_detector_leaves_idle():
    # what they were seen to wait, in closed loop, for a detector of 32 ms a picture on two cores
    waiting = Look(now_s=0.0, running=1, wanted=1, wait_s=0.2, item_s=0.032, busy_s=0.0, pending=16, idle_cores=0.45)
    _, memory = wanted_replicas(waiting, Memory())
    assert wanted_replicas(replace(waiting, now_s=0.5, busy_s=0.5), memory)[0] == 2


def watched(busy: float, *, running: int = 1, idle_cores: float | None = 0.6, seconds: float = 20.0) -> int:
    """Replicas wanted at the end, after looks at replicas of which each is so busy while hardly any work waits."""
    look = Look(now_s=0.0, running=running, wanted=running, wait_s=0.02, item_s=0.032, busy_s=0.0, pending=2 * running)
    memory, most = Memory(), running
    for half in range(int(2 * seconds)):
        now_s = half / 2
        seen = replace(look, now_s=now_s, busy_s=busy * running * now_s, idle_cores=idle_cores)
        wanted, memory = wanted_replicas(seen, memory)
        most = max(most, wanted)
    return most


def test_an_idle_core_is_put_to_use_for_clients_that_keep_all_replicas_busy():
    assert watched(0.97) == 2
    assert watched(0.97, running=3) == 4
    assert watched(0.97, seconds=4.5) == 1  # not for a short time
    assert watched(0.97, idle_cores=0.1) == 1
    assert watched(0.97, idle_cores=None) == 1  # nobody knows whether there is one
    assert watched(0.8) == 1


def test_replicas_that_start_are_no_measure_of_how_busy_they_are():
    look = Look(now_s=0.0, running=1, wanted=2, wait_s=0.0, item_s=0.032, busy_s=0.0, pending=2, idle_cores=0.6)
    _, memory = wanted_replicas(look, Memory())
    for second in range(1, 30):
        wanted, memory = wanted_replicas(replace(look, now_s=float(second), busy_s=float(second)), memory)
        assert wanted == 2
    settled = replace(look, running=2, now_s=31.0, busy_s=31.0)
    assert wanted_replicas(settled, memory)[0] == 2


@pytest.mark.parametrize("service_s", [0.002, 0.4])
def test_quick_and_slow_work_is_judged_by_its_own_time(service_s):
    calm = run(Deployment(service_s), lambda _: 0.4 / service_s, 300, 10)
    assert calm.changes() == []
    pressed = run(Deployment(service_s), lambda at: (0.4 if at < 60 else 1.8) / service_s, 90, 10)
    assert pressed.history[0][1] == 2
    assert pressed.history[0][0] - 60 <= (1.0 if service_s < 0.1 else 6.0)


LOOK = Look(now_s=0.0, running=1, wanted=1, wait_s=5.0, item_s=0.05, busy_s=0.0, pending=9)


def test_replicas_that_are_starting_are_waited_for():
    memory = Memory()
    for quarter in range(200):
        wanted, memory = wanted_replicas(replace(LOOK, wanted=2, now_s=quarter / 4), memory)
        assert wanted == 2


def test_a_router_that_goes_takes_its_sum_along_and_nothing_falls_below_zero():
    _, memory = wanted_replicas(replace(LOOK, busy_s=100.0), Memory())
    _, memory = wanted_replicas(replace(LOOK, busy_s=101.0, now_s=1.0), memory)
    assert memory.busy > 0
    _, memory = wanted_replicas(replace(LOOK, busy_s=40.0, now_s=2.0), memory)
    assert memory.busy >= 0


def test_who_turns_requests_away_need_not_let_work_wait_long():
    memory, decisions = Memory(), []
    for quarter in range(3):
        look = replace(LOOK, wait_s=0.02, refused=True, now_s=quarter / 4)
        wanted, memory = wanted_replicas(look, memory)
        decisions.append(wanted)
    assert decisions == [1, 2, 1]  # the last look sees none starting, and begins anew


@pytest.mark.parametrize(
    ("running", "wanted", "pending", "expected"),
    [(0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1), (1, 1, 1, 1), (1, 1, 0, 0)],
)
def test_none_is_needed_where_nothing_is_pending_unless_one_is_starting(running, wanted, pending, expected):
    look = replace(LOOK, running=running, wanted=wanted, pending=pending, wait_s=0.0)
    assert wanted_replicas(look, Memory())[0] == expected


def test_two_looks_at_the_same_moment_are_one():
    _, memory = wanted_replicas(LOOK, Memory())
    assert wanted_replicas(replace(LOOK, busy_s=7.0), memory)[1].busy == memory.busy
