"""Handing the metrics of a replica to Ray, whose metrics port of each machine shows those of all processes there.

`/metrics` of an endpoint is answered by one replica of many, another one at each scrape; Ray's port knows them all.
Values are handed over as they stand, every few seconds and outside of requests: a request costs what counting in this
process costs, and nothing is added up twice. What did not change is handed over just often enough that Ray does not
forget it: of a process at rest, each series at every third push. Ray's own histograms would have the agent count each
observation anew, at the middle of its bucket; here buckets, sums and counts travel as they are, hence all as gauges.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

from deployments.observability.metrics import REGISTRY

logger = logging.getLogger(__name__)

PREFIX = "sightline_"
"""Ray puts `ray_` before it."""
EXPORT_S = 2.5
"""A quarter of the time after which Ray's processes report to its agent: what is shown is at most that much older."""
KEPT_SHARE = 0.75
"""Part of that time for which a value is not said anew: Ray forgets a gauge's values when it has reported them.

Source: `OpenTelemetryMetricRecorder::CollectGaugeMetricValues` of Ray.
"""


class Gauge(Protocol):
    """What Ray keeps a value in."""

    def set(self, value: float, tags: dict[str, str]) -> None:
        """Keep another one."""


@dataclass(slots=True, kw_only=True)
class _Series:
    """One series as Ray was last told of it.

    Attributes:
        gauge: of all series of its name.
        labels: its own, and those that say whose it is.
        value: that Ray was told.
        push: the one that told it, counted from 1.
    """

    gauge: Gauge
    labels: dict[str, str]
    value: float = math.nan
    push: int = 0


class RayExport:
    """Hands over what a registry holds."""

    def __init__(
        self,
        registry: CollectorRegistry,
        of: Mapping[str, str],
        make_gauge: Callable[[str, str, tuple[str, ...]], Gauge],
        *,
        kept_pushes: int,
    ) -> None:
        """Nothing is handed over yet.

        Args:
            registry: where values come from.
            of: labels that say whose values these are; a metric's own label of the same name wins.
            make_gauge: given a name, what it means, and its labels.
            kept_pushes: how many pushes after the last time a value that stays is handed over again; 1 is at each.
        """
        self._registry = registry
        self._of = dict(of)
        self._make_gauge = make_gauge
        self._kept_pushes = kept_pushes
        self._gauges: dict[str, Gauge] = {}
        self._series: dict[tuple[str, ...], _Series] = {}
        self._pushes = 0

    def push(self) -> None:
        """Hand over every series that changed, and those that would soon be forgotten."""
        self._pushes += 1
        for metric in self._registry.collect():
            for sample in metric.samples:
                if sample.name.endswith("_created"):
                    continue  # a time that nobody asks for, as many series again
                key = (sample.name, *sample.labels.values())
                series = self._series.get(key)
                if series is None:
                    series = self._series[key] = self._new(sample, metric.documentation)
                if sample.value != series.value or self._pushes - series.push >= self._kept_pushes:
                    series.gauge.set(sample.value, series.labels)
                    series.value, series.push = sample.value, self._pushes

    def _new(self, sample: Sample, text: str) -> _Series:
        labels = self._of | sample.labels
        if sample.name not in self._gauges:
            self._gauges[sample.name] = self._make_gauge(PREFIX + sample.name, text, tuple(labels))
        return _Series(gauge=self._gauges[sample.name], labels=labels)


def kept_pushes(report_s: float) -> int:
    """How many pushes a value that stays may be kept for, when Ray's processes report every so many seconds."""
    return max(1, int(KEPT_SHARE * report_s / EXPORT_S))


def export_to_ray() -> None:
    """Begin to hand over the metrics of this replica, from a thread of its own; it ends with the process."""
    import ray  # a replica has it; who counts without a cluster need not
    from ray import serve
    from ray.util.metrics import Gauge as RayGauge

    replica = serve.get_replica_context()
    of = {
        "application": replica.app_name,
        "deployment": replica.deployment,
        "replica": replica.replica_id.unique_id,
    }

    def make_gauge(name: str, text: str, labels: tuple[str, ...]) -> Any:
        return RayGauge(name, description=text, tag_keys=labels)

    report_s = ray._config.metrics_report_interval_ms() / 1000
    export = RayExport(REGISTRY, of, make_gauge, kept_pushes=kept_pushes(report_s))
    threading.Thread(target=_keep_pushing, args=(export,), name="metrics", daemon=True).start()


def _keep_pushing(export: RayExport) -> None:
    never = threading.Event()
    while not never.wait(EXPORT_S):
        try:
            export.push()
        except RuntimeError:  # what is counted changed while it was read: the next time will do
            logger.warning("metrics were not handed to Ray", exc_info=True)
