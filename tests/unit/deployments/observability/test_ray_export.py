"""What Ray is handed, by a gauge that keeps it."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from deployments.observability.ray_export import RayExport, kept_pushes

OF = {"application": "plates", "deployment": "WorkflowRouter", "replica": "a"}


class Kept:
    """Ray's side: gauges by name, values by their labels."""

    def __init__(self) -> None:
        self.labels: dict[str, tuple[str, ...]] = {}
        self.values: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        self.told: list[str] = []

    def make(self, name, text, labels):
        assert name not in self.labels
        self.labels[name] = labels
        return _KeptGauge(self, name)

    def value(self, name, **labels):
        return self.values.get((name, frozenset({**OF, **labels}.items())))


class _KeptGauge:
    def __init__(self, kept, name):
        self._kept, self._name = kept, name

    def set(self, value, tags):
        assert set(tags) == set(self._kept.labels[self._name])
        self._kept.values[self._name, frozenset(tags.items())] = value
        self._kept.told.append(self._name)


def test_a_registry_without_metrics_hands_nothing_over():
    kept = Kept()
    RayExport(CollectorRegistry(), OF, kept.make, kept_pushes=3).push()
    assert kept.values == {}


def test_values_are_handed_over_as_they_stand_with_whose_they_are():
    registry, kept = CollectorRegistry(), Kept()
    counter = Counter("asked_total", "", ("route",), registry=registry)
    gauge = Gauge("open", "", registry=registry)
    export = RayExport(registry, OF, kept.make, kept_pushes=3)
    counter.labels("/a").inc(3)
    gauge.set(2)
    export.push()
    assert kept.value("sightline_asked_total", route="/a") == 3
    assert kept.value("sightline_open") == 2
    counter.labels("/a").inc()
    counter.labels("/b").inc()
    export.push()
    assert kept.value("sightline_asked_total", route="/a") == 4
    assert kept.value("sightline_asked_total", route="/b") == 1


def test_what_stays_is_handed_over_at_each_third_push_and_what_changes_at_once():
    registry, kept = CollectorRegistry(), Kept()
    Gauge("still", "", registry=registry).set(1)
    moving = Counter("moving_total", "", registry=registry)
    export = RayExport(registry, OF, kept.make, kept_pushes=3)
    told = []
    for number in range(7):
        if number in (1, 2):
            moving.inc()
        kept.told.clear()
        export.push()
        told.append(list(kept.told))
    still, moving_total = "sightline_still", "sightline_moving_total"
    assert told == [[still, moving_total], [moving_total], [moving_total], [still], [], [moving_total], [still]]


@pytest.mark.parametrize(
    ("report_s", "pushes"),
    [(10, 3), (20, 6), (5, 1), (3, 1), (1, 1)],  # 7.5 of 10 s, 15 of 20 s, 2.5 of 5 s; else at each push
)
def test_a_value_is_said_anew_before_ray_has_forgotten_it(report_s, pushes):
    assert kept_pushes(report_s) == pushes


def test_a_histogram_travels_with_its_exact_buckets_sum_and_count():
    registry, kept = CollectorRegistry(), Kept()
    histogram = Histogram("wait_ms", "", buckets=(1, 10), registry=registry)
    for value in (0.5, 7, 900):
        histogram.observe(value)
    RayExport(registry, OF, kept.make, kept_pushes=3).push()
    assert [kept.value("sightline_wait_ms_bucket", le=edge) for edge in ("1.0", "10.0", "+Inf")] == [1, 2, 3]
    assert kept.value("sightline_wait_ms_sum") == 907.5
    assert kept.value("sightline_wait_ms_count") == 3
    assert {name for name, _ in kept.values} == {f"sightline_wait_ms_{part}" for part in ("bucket", "sum", "count")}


def test_a_label_of_a_metric_wins_over_whose_it_is():
    registry, kept = CollectorRegistry(), Kept()
    Counter("calls_total", "", ("deployment",), registry=registry).labels("text_reader").inc()
    RayExport(registry, OF, kept.make, kept_pushes=3).push()
    assert kept.value("sightline_calls_total", deployment="text_reader") == 1
