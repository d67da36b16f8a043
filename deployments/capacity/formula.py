"""How much a cluster carries, and how many replicas a rate takes: arithmetic alone.

A deployment of N replicas, each of which runs one batch at a time in S(n) milliseconds, is asked for `items` pieces of
work a request. Work gathers while a replica is busy and leaves as one call, of B pieces at most:

    requests/s it carries      N * 1000 * B / S(B) / items
    batch at a rate            n = rate * items / N * S(n) / 1000, between 1 and B: what gathers during one run
    share of time it is busy   rate * items / N * S(n) / 1000 / n

M WorkflowRouters, each with one event loop, carry M * 1000 / (CPU ms a request). Whoever carries least decides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deployments.models.service_times import ServiceTimes

TOLERANCE = 1e-9
"""Part of a replica that rounding may add to what is exactly full."""

ROUTER_FIXED_MS = 1.4
"""CPU of a WorkflowRouter for a request however many images are in it, as measured in docs/capacity.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one deployment is asked for by each request.

    Attributes:
        times: how long a replica is busy with a batch.
        max_batch_items: most pieces of work of one run.
        items: pieces of work a request, a mean; 0 for a deployment that a workflow passes by.

    Raises:
        ValueError: a batch limit below 1, or fewer pieces of work than none.
    """

    times: ServiceTimes
    max_batch_items: int
    items: float

    def __post_init__(self) -> None:
        if self.max_batch_items < 1:
            raise ValueError(f"batches of at most {self.max_batch_items}; at least 1 must be allowed")
        if not self.items >= 0:
            raise ValueError(f"{self.items:g} pieces of work a request; there can be no fewer than 0")

    @property
    def most_items_s(self) -> float:
        """Pieces of work a second that one replica carries when every batch is full."""
        return 1000 * self.max_batch_items / self.times.ms(self.max_batch_items)


def most_requests_s(demand: Demand, replicas: int) -> float:
    """Requests a second that a deployment carries; infinite when it is not asked for anything."""
    return math.inf if not demand.items else replicas * demand.most_items_s / demand.items


def most_requests_s_of_routers(routers: int, cpu_ms_a_request: float) -> float:
    """Requests a second that WorkflowRouters carry, each on a core of its own."""
    return math.inf if not cpu_ms_a_request else routers * 1000 / cpu_ms_a_request


def most_requests_s_of_all(
    demands: Sequence[tuple[Demand, int]],
    routers: int,
    router_cpu_ms: float,
    *,
    cores: float = math.inf,
    cpu_ms_a_request: float = 0.0,
) -> float:
    """Requests a second that all of it carries: as many as its weakest part.

    Args:
        demands: of each deployment, with its replicas.
        routers: WorkflowRouter replicas.
        router_cpu_ms: CPU of a WorkflowRouter for one request.
        cores: of the machine, when everything shares one.
        cpu_ms_a_request: CPU of everything on it, routers included, for one request.
    """
    return min(
        most_requests_s_of_routers(routers, router_cpu_ms),
        most_requests_s_of_routers(1, cpu_ms_a_request / cores),
        *(most_requests_s(demand, replicas) for demand, replicas in demands),
    )


def batch_at(demand: Demand, requests_s: float, replicas: int) -> float:
    """Mean batch that results at a rate that the deployment carries: what gathers during one run, from 1 to the limit.

    n = arrivals during S(n) has one solution for a line, found for any table by walking to it: more work gathers during
    a longer run, and each step of the walk is no smaller than the one before.
    """
    items_ms = requests_s * demand.items / replicas / 1000
    batch = 1.0
    for _ in range(10_000):
        gathered = min(max(items_ms * demand.times.ms(batch), 1.0), float(demand.max_batch_items))
        if abs(gathered - batch) < 1e-6:
            break
        batch = gathered
    return batch


def busy_share(demand: Demand, requests_s: float, replicas: int) -> float:
    """Part of the time that a replica is busy; above 1 it does not keep up."""
    batch = batch_at(demand, requests_s, replicas)
    return requests_s * demand.items / replicas / 1000 * demand.times.ms(batch) / batch


def replicas_for(demand: Demand, requests_s: float, utilisation: float) -> int:
    """Replicas so that a rate takes no more than a part of what they carry; 1 at least, to answer at all.

    Args:
        demand: of the deployment.
        requests_s: to be carried.
        utilisation: part of it, above 0 and at most 1.
    """
    needed = requests_s * demand.items / (demand.most_items_s * utilisation)
    return max(1, math.ceil(needed - TOLERANCE))


def router_cpu_ms(one_image_ms: float, images: float) -> float:
    """CPU of a WorkflowRouter for a request with so many images, from that for a request with one.

    A part is for the request; the rest, base64, JSON and its share of the calls, is for each image.
    """
    fixed_ms = min(ROUTER_FIXED_MS, one_image_ms)
    return fixed_ms + (one_image_ms - fixed_ms) * images


def routers_for(requests_s: float, cpu_ms_a_request: float, utilisation: float) -> int:
    """WorkflowRouter replicas for a rate; 1 at least."""
    return max(1, math.ceil(requests_s * cpu_ms_a_request / 1000 / utilisation - TOLERANCE))
