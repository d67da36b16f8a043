"""From a workflow and a rate to replicas: one row a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deployments.capacity.figures import Figures
from deployments.capacity.formula import Demand, batch_at, busy_share, most_requests_s, replicas_for, routers_for
from deployments.capacity.model_steps import ModelStep
from deployments.models.service_times import ServiceTimes
from deployments.models.timing import ON_CPU

TRITON = "triton"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One deployment.

    Attributes:
        deployment: its name.
        model_id: what it serves; None for one that serves no model.
        steps: of the workflow that ask it.
        items: pieces of work for each request.
        max_batch_items: largest batch.
        service_ms: a replica is busy with such a batch.
        batch: mean batch at the rate.
        busy: share of the time that each replica is busy at the rate.
        replicas: how many.
        carries_rps: requests a second that they carry at most.
        num_cpus: CPUs of each.
        num_gpus: GPUs of each.
        device: where the times are from.
    """

    deployment: str
    model_id: str | None
    steps: tuple[str, ...]
    items: float
    max_batch_items: int
    service_ms: float
    batch: float
    busy: float
    replicas: int
    carries_rps: float
    num_cpus: float
    num_gpus: float
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a rate takes.

    Attributes:
        requests_s: the rate.
        utilisation: part of what they carry that is to be used.
        rows: of the deployments with models, then the TransformWorker if the workflow needs it.
        routers: WorkflowRouter replicas.
        router_cpu_ms: CPU of one for each request.
    """

    requests_s: float
    utilisation: float
    rows: tuple[Row, ...]
    routers: int
    router_cpu_ms: float

    @property
    def num_cpus(self) -> float:
        """CPUs of everything; a router keeps one busy."""
        return self.routers + sum(row.replicas * row.num_cpus for row in self.rows)

    @property
    def num_gpus(self) -> float:
        """GPUs of everything."""
        return sum(row.replicas * row.num_gpus for row in self.rows)


def answer(
    steps: Sequence[ModelStep],
    figures: Mapping[str, Figures],
    names: Mapping[str, str],
    *,
    batch_items: Mapping[str, int],
    transforms: tuple[float, float],
    requests_s: float,
    utilisation: float,
    router_cpu_ms: float,
) -> Answer:
    """How many replicas of what.

    Args:
        steps: that ask models.
        figures: by model id, of each of them.
        names: deployment of each model.
        batch_items: most images of one call, by model id.
        transforms: units a request for the TransformWorker, and its milliseconds for each.
        requests_s: to be carried.
        utilisation: part of what the replicas carry that is to be used.
        router_cpu_ms: CPU of a WorkflowRouter for each request.
    """
    rows = []
    for model_id in dict.fromkeys(step.model_id for step in steps):
        asking = [step for step in steps if step.model_id == model_id]
        known = figures[model_id]
        demand = Demand(
            times=known.times,
            max_batch_items=min(batch_items[model_id], known.max_batch_items or batch_items[model_id]),
            items=sum(step.items for step in asking),
        )
        rows.append(
            _row(names[model_id], model_id, tuple(step.step for step in asking), demand, requests_s, utilisation, known)
        )
    units, unit_ms = transforms
    if units:
        demand = Demand(times=ServiceTimes(ms_by_batch={1: unit_ms}), max_batch_items=1, items=units)
        rows.append(_row("TransformWorker", None, (), demand, requests_s, utilisation, None))
    return Answer(
        requests_s=requests_s,
        utilisation=utilisation,
        rows=tuple(rows),
        routers=routers_for(requests_s, router_cpu_ms, utilisation),
        router_cpu_ms=router_cpu_ms,
    )


def _row(
    deployment: str,
    model_id: str | None,
    steps: tuple[str, ...],
    demand: Demand,
    requests_s: float,
    utilisation: float,
    figures: Figures | None,
) -> Row:
    replicas = replicas_for(demand, requests_s, utilisation)
    device = ON_CPU if figures is None else figures.device
    elsewhere = device == TRITON
    return Row(
        deployment=deployment,
        model_id=model_id,
        steps=steps,
        items=demand.items,
        max_batch_items=demand.max_batch_items,
        service_ms=demand.times.ms(demand.max_batch_items),
        batch=batch_at(demand, requests_s, replicas),
        busy=busy_share(demand, requests_s, replicas),
        replicas=replicas,
        carries_rps=most_requests_s(demand, replicas),
        num_cpus=1.0,
        num_gpus=0.0 if device == ON_CPU or elsewhere else 1.0,
        device=device,
    )
