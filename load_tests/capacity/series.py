"""What is measured for `docs/capacity.md`: accelerators by their number, routers, and batches below the peak."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from deployments.capacity.formula import Demand, batch_at, most_requests_s, most_requests_s_of_routers
from deployments.models.service_times import ServiceTimes
from load_tests.capacity.emulated_cluster import CALLS_A_DEVICE, EmulatedCluster
from load_tests.capacity.measuring import Point, Window, measure
from load_tests.results import Machine

# Slow devices, so that 32 of them still ask little of two cores: 5 requests a second each.
SLOW = {"fixed_ms": 400.0, "per_item_ms": 100.0, "max_batch_items": 4}
# Devices that are never waited for: what is left is the way to them.
QUICK = {"fixed_ms": 4.0, "per_item_ms": 1.0, "max_batch_items": 8}
QUICK_REPLICAS, QUICK_CLIENTS = 2, 32
SHARES_OF_PEAK = (0.5, 0.85)

Kind = Literal["scaling", "partial", "routers"]


class Series(BaseModel):
    """Everything that one command measured.

    Attributes:
        scaling: by the number of accelerators, clients that ask as fast as they are answered.
        partial: arrivals at a part of what the accelerators carry.
        routers: by the number of WorkflowRouters, accelerators never waited for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_at: datetime
    commit: str
    versions: dict[str, str]
    machine: Machine
    scaling: tuple[Point, ...] = ()
    partial: tuple[Point, ...] = ()
    routers: tuple[Point, ...] = ()

    def with_point(self, kind: Kind, point: Point) -> Series:
        """The same with one more."""
        return self.model_copy(update={kind: (*getattr(self, kind), point)})


def clusters_of(accelerators: int, most_replicas: int) -> EmulatedCluster:
    """So many devices behind as many processes, or behind as few as it takes when there may not be more of these.

    Raises:
        ValueError: the number does not divide.
    """
    devices = math.ceil(accelerators / most_replicas)
    if accelerators % devices:
        raise ValueError(f"{accelerators} accelerators do not share {most_replicas} replicas evenly")
    return EmulatedCluster(replicas=accelerators // devices, devices=devices, **SLOW)  # type: ignore[arg-type]


def measure_scaling(
    accelerators: tuple[int, ...], most_replicas: int, window: Window, partly: int
) -> Iterator[tuple[Kind, Point]]:
    """Each number of accelerators at its peak; one of them below it, too."""
    for number in accelerators:
        cluster = clusters_of(number, most_replicas)
        with cluster.running() as server:
            # Three calls' worth for each device: one runs, one is on its way, one gathers.
            clients = (CALLS_A_DEVICE + 1) * number * cluster.max_batch_items
            yield "scaling", measure(cluster, server, window, clients=clients)
            if number != partly:
                continue
            for share in SHARES_OF_PEAK:
                rate_rps = share * most_requests_s(cluster.demand, number)
                yield "partial", measure(cluster, server, window, rate_rps=rate_rps)


def measure_routers(routers: tuple[int, ...], window: Window) -> Iterator[tuple[Kind, Point]]:
    """Each number of WorkflowRouters."""
    for number in routers:
        cluster = EmulatedCluster(replicas=QUICK_REPLICAS, routers=number, **QUICK)  # type: ignore[arg-type]
        with cluster.running() as server:
            yield "routers", measure(cluster, server, window, clients=QUICK_CLIENTS)


def demand_of(point: Point) -> Demand:
    """What the accelerators of a point are asked for by each request."""
    times = ServiceTimes.line(point.fixed_ms, point.per_item_ms)
    return Demand(times=times, max_batch_items=point.max_batch_items, items=1)


def predicted_batch(point: Point) -> float:
    """Mean batch by the formula: full ones at the peak."""
    rate = math.inf if point.offered_rps is None else point.offered_rps
    most = most_requests_s(demand_of(point), point.accelerators)
    return batch_at(demand_of(point), min(rate, most), point.accelerators)


def limits_of(point: Point, costliest: Point, cores: int) -> tuple[float, float, float]:
    """Requests a second by the formula: of the accelerators, of the routers, and of the machine that all share.

    Args:
        point: whose accelerators and routers count.
        costliest: whose CPU a request counts: the one that came nearest to the machine's limit.
        cores: of the machine.
    """
    return (
        most_requests_s(demand_of(point), point.accelerators),
        most_requests_s_of_routers(point.routers, costliest.router_cpu_ms),
        most_requests_s_of_routers(cores, costliest.all_cpu_ms),
    )
