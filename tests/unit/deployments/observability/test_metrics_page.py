"""docs/metrics.md, held against every metric that there is."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

import deployments
from deployments.dataplane.admission import Admission
from deployments.observability import metrics
from deployments.observability.admission_metrics import AdmissionCollector
from deployments.router.coalescing import CoalescingQueue
from deployments.router.queue_metrics import QueueCollector
from deployments.settings import AdmissionLimits
from tests.unit.deployments.observability.metrics_page import rows

KINDS = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
TOLD_BY_SAMPLES = {"le"}


def _collectors() -> dict[type[Collector], Collector]:
    """One of each kind that reads its numbers elsewhere."""

    async def send(key, payloads, deadlines, may_load):
        raise NotImplementedError

    return {
        QueueCollector: QueueCollector({"text_reader": CoalescingQueue("the fake", send, lost_errors=())}),
        AdmissionCollector: AdmissionCollector(Admission(AdmissionLimits())),
    }


def _exported() -> dict[str, tuple[str, tuple[str, ...]]]:
    found = {}
    for each in vars(metrics).values():
        if type(each) in KINDS:
            name = f"{each._name}_total" if isinstance(each, Counter) else each._name
            found[name] = KINDS[type(each)], tuple(each._labelnames)
    registry = CollectorRegistry()
    for collector in _collectors().values():
        registry.register(collector)
    for family in registry.collect():
        labels = {label for sample in family.samples for label in sample.labels}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type, tuple(sorted(labels - TOLD_BY_SAMPLES))
    return found


def test_every_metric_has_a_row_and_every_row_a_metric():
    assert rows() == _exported()


def test_no_collector_is_forgotten_here():
    for module in pkgutil.walk_packages(deployments.__path__, "deployments."):
        if module.name.rpartition(".")[2] not in ("env", "main") and "migrations" not in module.name:
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                pytest.importorskip(str(error.name))
    ours = {kind for kind in _all_below(Collector) if kind.__module__.startswith("deployments.")}
    assert ours == set(_collectors())


def _all_below(kind: type) -> set[type]:
    return {below for child in kind.__subclasses__() for below in (child, *_all_below(child))}
