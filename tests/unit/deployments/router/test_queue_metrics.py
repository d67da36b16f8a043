"""The counters of the queues, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from deployments.dataplane.messages import CallAnswer
from deployments.router.coalescing import CoalescingQueue
from deployments.router.queue_metrics import QueueCollector


async def test_every_counter_has_a_series_for_each_deployment():
    async def send(key, payloads, deadlines, may_load):
        return CallAnswer(results=payloads, replica_id="a", compute_ms=0.0)

    queue = CoalescingQueue("the fake", send, lost_errors=())
    await queue.submit("m", 1, deadline_unix_s=float("1e12"), request_id="r")
    queue.counters.batch_sizes[40] += 2
    registry = CollectorRegistry()
    registry.register(QueueCollector({"text_reader": queue}))
    lines = generate_latest(registry).decode().splitlines()
    for line in (
        'coalescing_calls_total{deployment="text_reader"} 1.0',
        'coalescing_items_total{deployment="text_reader"} 1.0',
        'coalescing_queued_items{deployment="text_reader"} 0.0',
        'coalescing_slots{deployment="text_reader"} 2.0',
        'coalescing_batch_items_bucket{deployment="text_reader",le="1"} 1.0',
        'coalescing_batch_items_bucket{deployment="text_reader",le="32"} 1.0',
        'coalescing_batch_items_bucket{deployment="text_reader",le="64"} 3.0',
        'coalescing_batch_items_bucket{deployment="text_reader",le="+Inf"} 3.0',
        'coalescing_batch_items_sum{deployment="text_reader"} 81.0',
    ):
        assert line in lines
