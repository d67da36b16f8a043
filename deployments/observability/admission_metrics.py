"""The numbers of the door, shown to Prometheus when it asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from deployments.observability.metrics import REGISTRY

REASONS = ("time", "count", "bytes", "client", "deadline")


class Counters(Protocol):
    """What came and what is in."""

    @property
    def admitted(self) -> int:
        """Requests let in."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Reason -> requests turned away."""

    @property
    def in_flight(self) -> int:
        """Requests that hold a place now."""

    @property
    def in_flight_bytes(self) -> int:
        """Bytes of their bodies."""


class Door(Protocol):
    """What lets requests in."""

    @property
    def counters(self) -> Counters:
        """So far, and now."""

    @property
    def most_in_flight(self) -> int:
        """Requests that may be in now."""

    @property
    def most_bytes(self) -> int:
        """Bytes of bodies that may be in."""

    @property
    def rate_s(self) -> float:
        """Requests answered a second while any is in."""


class AdmissionCollector(Collector):
    """Reads the door at each scrape."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def collect(self) -> Iterable[Metric]:
        """Every family, also when nothing has happened yet."""
        counters = self._door.counters
        yield CounterMetricFamily("admission_admitted", "Requests let in.", counters.admitted)
        refused = CounterMetricFamily("admission_refused", "Requests turned away at the door.", labels=("reason",))
        for reason in REASONS:
            refused.add_metric((reason,), counters.refused.get(reason, 0))
        yield refused
        for name, text, value in (
            ("admission_in_flight", "Requests that hold a place now.", counters.in_flight),
            ("admission_in_flight_limit", "Requests that may hold a place now.", self._door.most_in_flight),
            ("admission_in_flight_bytes", "Bytes of the bodies of these.", counters.in_flight_bytes),
            ("admission_in_flight_limit_bytes", "Bytes of bodies that may be in.", self._door.most_bytes),
            ("admission_rate_per_s", "Requests answered a second while any is in.", self._door.rate_s),
        ):
            yield GaugeMetricFamily(name, text, value)


def watch_admission(door: Door) -> None:
    """Show the door of this process at `/metrics`."""
    REGISTRY.register(AdmissionCollector(door))
