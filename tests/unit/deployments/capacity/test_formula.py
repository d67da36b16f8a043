from __future__ import annotations

import heapq
import math
from collections import deque
from random import Random

import pytest

from deployments.capacity.formula import (
    Demand,
    batch_at,
    busy_share,
    most_requests_s,
    most_requests_s_of_all,
    most_requests_s_of_routers,
    replicas_for,
    router_cpu_ms,
    routers_for,
)
from deployments.models.service_times import ServiceTimes

DETECTOR = Demand(times=ServiceTimes.line(20, 10), max_batch_items=8, items=1)  # full: 8 in 100 ms, 80 a second
READER = Demand(times=ServiceTimes.line(4, 1), max_batch_items=16, items=3)  # full: 16 in 20 ms, 800 a second
NOTHING = Demand(times=ServiceTimes.line(20, 10), max_batch_items=8, items=0)


@pytest.mark.parametrize(
    ("demand", "replicas", "requests_s"),
    [(DETECTOR, 1, 80), (DETECTOR, 4, 320), (READER, 1, 800 / 3), (NOTHING, 1, math.inf)],
)
def test_a_deployment_carries_full_batches_on_each_replica(demand: Demand, replicas: int, requests_s: float) -> None:
    assert most_requests_s(demand, replicas) == pytest.approx(requests_s)


def test_routers_carry_a_core_each() -> None:
    assert most_requests_s_of_routers(2, 4.0) == 500
    assert most_requests_s_of_routers(1, 0.0) == math.inf


def test_the_weakest_part_decides() -> None:
    demands = [(DETECTOR, 4), (READER, 1)]
    assert most_requests_s_of_all(demands, 4, 4.0) == pytest.approx(800 / 3)  # 320, 266.7 and 1000
    assert most_requests_s_of_all(demands, 1, 5.0) == 200
    assert most_requests_s_of_all(demands, 4, 4.0, cores=2, cpu_ms_a_request=20.0) == 100
    assert most_requests_s_of_all([], 1, 5.0) == 200


@pytest.mark.parametrize(
    ("requests_s", "batch"),
    [
        (0.0, 1.0),
        (20.0, 1.0),  # 20 * 30 ms = 0.6 would gather: alone then
        (50.0, 2.0),  # n = 0.05 * (20 + 10 n), so n = 1 / 0.5
        (75.0, 6.0),  # n = 0.075 * (20 + 10 n), so n = 1.5 / 0.25
        (80.0, 8.0),
        (500.0, 8.0),
    ],
)
def test_what_gathers_during_a_run_is_the_next_batch(requests_s: float, batch: float) -> None:
    assert batch_at(DETECTOR, requests_s, 1) == pytest.approx(batch, abs=1e-3)
    assert batch_at(DETECTOR, requests_s * 3, 3) == pytest.approx(batch, abs=1e-3)


@pytest.mark.parametrize(
    ("requests_s", "busy"),
    [(0.0, 0.0), (10.0, 0.3), (50.0, 1.0), (80.0, 1.0), (160.0, 2.0)],  # alone: 10 * 30 ms; full: 160 / 80
)
def test_a_replica_is_busy_as_long_as_its_batches_take(requests_s: float, busy: float) -> None:
    assert busy_share(DETECTOR, requests_s, 1) == pytest.approx(busy, abs=1e-3)


@pytest.mark.parametrize(
    ("demand", "requests_s", "utilisation", "replicas"),
    [
        (DETECTOR, 80, 1.0, 1),
        (DETECTOR, 81, 1.0, 2),
        (DETECTOR, 80, 0.5, 2),
        (DETECTOR, 100, 0.7, 2),  # 1.79
        (READER, 1000, 0.75, 5),  # 3,000 items a second on 600
        (DETECTOR, 0, 0.7, 1),
        (NOTHING, 1000, 0.7, 1),
    ],
)
def test_replicas_are_as_many_as_keep_below_the_utilisation(
    demand: Demand, requests_s: float, utilisation: float, replicas: int
) -> None:
    assert replicas_for(demand, requests_s, utilisation) == replicas


@pytest.mark.parametrize(
    ("requests_s", "cpu_ms", "utilisation", "routers"),
    [(100, 5, 0.5, 1), (101, 5, 0.5, 2), (1000, 4, 0.8, 5), (0, 5, 0.7, 1), (100, 0, 0.7, 1)],
)
def test_routers_are_as_many_as_their_cpu_takes(
    requests_s: float, cpu_ms: float, utilisation: float, routers: int
) -> None:
    assert routers_for(requests_s, cpu_ms, utilisation) == routers


@pytest.mark.parametrize(("batch", "items", "says"), [(0, 1, "at least 1"), (8, -1, "no fewer than 0")])
def test_what_cannot_be_is_refused(batch: int, items: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Demand(times=ServiceTimes.line(1, 1), max_batch_items=batch, items=items)


def simulated(demand: Demand, requests_s: float, replicas: int, requests: int) -> tuple[float, float]:
    """Requests a second and mean batch of a queue before replicas that take what waits as soon as they are idle.

    An event at a time, with nothing of the formula but the time of a batch: requests of `items` pieces each arrive at
    random (exponential gaps).
    """
    random = Random(7)
    events: list[tuple[float, int, int]] = []
    at_ms = 0.0
    for _ in range(requests):
        at_ms += random.expovariate(requests_s / 1000)
        events.append((at_ms, 0, int(demand.items)))
    heapq.heapify(events)
    waiting: deque[None] = deque()
    idle, runs, done, ended_ms = replicas, 0, 0, 0.0
    while events:
        now_ms, ends, items = heapq.heappop(events)
        if ends:
            idle += 1
            done += items
            ended_ms = now_ms
        else:
            waiting.extend([None] * items)
        while idle and waiting:
            taken = min(len(waiting), demand.max_batch_items)
            for _ in range(taken):
                waiting.popleft()
            idle -= 1
            runs += 1
            heapq.heappush(events, (now_ms + demand.times.ms(taken), 1, taken))
    return done / demand.items / ended_ms * 1000, done / runs


@pytest.mark.parametrize("demand", [DETECTOR, READER])
@pytest.mark.parametrize("replicas", [1, 4])
def test_a_simulated_queue_carries_what_the_formula_says(demand: Demand, replicas: int) -> None:
    carried, batch = simulated(demand, 3 * most_requests_s(demand, replicas), replicas, requests=4000)
    assert carried == pytest.approx(most_requests_s(demand, replicas), rel=0.02)
    assert batch == pytest.approx(demand.max_batch_items, rel=0.02)


@pytest.mark.parametrize("load", [0.75, 0.85])
def test_a_simulated_queue_forms_the_batches_that_the_formula_says(load: float) -> None:
    rate = load * most_requests_s(DETECTOR, 1)
    carried, batch = simulated(DETECTOR, rate, 1, requests=20_000)
    assert carried == pytest.approx(rate, rel=0.02)
    assert batch == pytest.approx(batch_at(DETECTOR, rate, 1), rel=0.15)


@pytest.mark.parametrize(
    ("one_ms", "images", "ms"), [(3.4, 1, 3.4), (3.4, 10, 21.4), (3.4, 0, 1.4), (1, 10, 1), (0, 5, 0)]
)
def test_a_router_has_a_part_for_the_request_and_one_for_each_image(one_ms: float, images: float, ms: float) -> None:
    assert router_cpu_ms(one_ms, images) == pytest.approx(ms)
