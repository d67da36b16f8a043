"""The counters of the coalescing queues, shown to Prometheus when it asks; counting itself costs an integer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from deployments.observability.metrics import REGISTRY
from deployments.router.coalescing import CoalescingQueue

Queues = Mapping[str, CoalescingQueue[Any, Any, Any]]

BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)

COUNTERS = {
    "calls": "Calls sent to a deployment, second tries included.",
    "items": "Pieces of work sent to a deployment.",
    "shared_calls": "Calls that carried work of more than one request.",
    "retries": "Calls sent again because a replica was lost.",
    "lost": "Pieces of work given up after two lost replicas.",
    "expired": "Pieces of work whose deadline passed before their answer came.",
    "cancelled": "Pieces of work whose requester went away.",
    "refused": "Pieces of work turned away because the queue was full.",
    "put_back": "Pieces of work that came to a replica which had unloaded their model, and waited again.",
    "waited_ms": "Time that pieces of work waited in the queue, together.",
    "sent_bytes": "Bytes of images and tensors sent to a deployment.",
    "decodes": "Pictures that a deployment decoded.",
    "encodes": "Pictures that a deployment encoded.",
}
GAUGES = {
    "queued_items": "Pieces of work that wait now.",
    "in_flight_calls": "Calls under way now.",
    "loading_calls": "Calls under way now that have a model loaded first; they take no slots.",
    "in_flight_items": "Pieces of work in calls under way now that somebody waits for.",
}


class QueueCollector(Collector):
    """Reads the queues at each scrape."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def collect(self) -> Iterable[Metric]:
        """One family a counter, one series a deployment."""
        for name, text in COUNTERS.items():
            counter = CounterMetricFamily(f"coalescing_{name}", text, labels=("deployment",))
            for deployment, queue in self._queues.items():
                counter.add_metric((deployment,), getattr(queue.counters, name))
            yield counter
        for name, text in GAUGES.items():
            gauge = GaugeMetricFamily(f"coalescing_{name}", text, labels=("deployment",))
            for deployment, queue in self._queues.items():
                gauge.add_metric((deployment,), getattr(queue.counters, name))
            yield gauge
        slots = GaugeMetricFamily("coalescing_slots", "Calls that may be under way now.", labels=("deployment",))
        for deployment, queue in self._queues.items():
            slots.add_metric((deployment,), queue.slots)
        yield slots
        limits = GaugeMetricFamily(
            "coalescing_batch_limit_items", "Pieces of work that one call may carry.", labels=("deployment",)
        )
        for deployment, queue in self._queues.items():
            limits.add_metric((deployment,), queue.limits.max_batch_items)
        yield limits
        sizes = HistogramMetricFamily("coalescing_batch_items", "Pieces of work in one call.", labels=("deployment",))
        for deployment, queue in self._queues.items():
            batch_sizes = dict(queue.counters.batch_sizes)  # whoever asks may be another thread
            buckets = [(str(edge), sum(n for size, n in batch_sizes.items() if size <= edge)) for edge in BATCH_BUCKETS]
            buckets.append(("+Inf", sum(batch_sizes.values())))
            sizes.add_metric((deployment,), buckets, sum(size * n for size, n in batch_sizes.items()))
        yield sizes


def watch_queues(queues: Queues) -> None:
    """Show the queues of this process at `/metrics`."""
    REGISTRY.register(QueueCollector(queues))
