"""Handing the metrics of a replica to Ray, whose metrics port of each machine shows those of all processes there.

`/metrics` of an endpoint is answered by one replica of many, another one at each scrape; Ray's port knows them all.
Values are handed over as they stand, every few seconds and outside of requests: a request costs what counting in this
process costs, and nothing is added up twice. Ray's own histograms would have the agent count each observation anew, at
the middle of its bucket; here buckets, sums and counts travel as they are, hence all as gauges.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from deployments.observability.metrics import REGISTRY

logger = logging.getLogger(__name__)

PREFIX = "sightline_"
"""Ray puts `ray_` before it."""
EXPORT_S = 2.5
"""A quarter of the time after which Ray's processes report to its agent: what is shown is at most that much older."""


class Gauge(Protocol):
    """What Ray keeps a value in."""

    def set(self, value: float, tags: dict[str, str]) -> None:
        """Keep another one."""


class RayExport:
    """Hands over what a registry holds."""

    def __init__(
        self,
        registry: CollectorRegistry,
        of: Mapping[str, str],
        make_gauge: Callable[[str, str, tuple[str, ...]], Gauge],
    ) -> None:
        """Nothing is handed over yet.

        Args:
            registry: where values come from.
            of: labels that say whose values these are; a metric's own label of the same name wins.
            make_gauge: given a name, what it means, and its labels.
        """
        self._registry = registry
        self._of = dict(of)
        self._make_gauge = make_gauge
        self._gauges: dict[str, Gauge] = {}

    def push(self) -> None:
        """Hand over every series as it stands now."""
        for metric in self._registry.collect():
            for sample in metric.samples:
                if sample.name.endswith("_created"):
                    continue  # a time that nobody asks for, as many series again
                labels = self._of | sample.labels
                gauge = self._gauges.get(sample.name)
                if gauge is None:
                    gauge = self._make_gauge(PREFIX + sample.name, metric.documentation, tuple(labels))
                    self._gauges[sample.name] = gauge
                gauge.set(sample.value, labels)


def export_to_ray() -> None:
    """Begin to hand over the metrics of this replica, from a thread of its own; it ends with the process."""
    from ray import serve  # a replica has it; who counts without a cluster need not
    from ray.util.metrics import Gauge as RayGauge

    replica = serve.get_replica_context()
    of = {
        "application": replica.app_name,
        "deployment": replica.deployment,
        "replica": replica.replica_id.unique_id,
    }

    def make_gauge(name: str, text: str, labels: tuple[str, ...]) -> Any:
        return RayGauge(name, description=text, tag_keys=labels)

    export = RayExport(REGISTRY, of, make_gauge)
    threading.Thread(target=_keep_pushing, args=(export,), name="metrics", daemon=True).start()


def _keep_pushing(export: RayExport) -> None:
    never = threading.Event()
    while not never.wait(EXPORT_S):
        try:
            export.push()
        except RuntimeError:  # what is counted changed while it was read: the next time will do
            logger.warning("metrics were not handed to Ray", exc_info=True)
