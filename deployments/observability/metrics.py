"""Every metric there is: its name, its labels, and the functions that count. Units stand last in the names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
"""Of this process; the text at `/metrics` is what it holds."""

LATENCY_BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000)

http_requests_total = Counter(
    "http_requests_total", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
http_request_latency_ms = Histogram(
    "http_request_latency_ms",
    "Time from a request's first byte to its answer.",
    ("route",),
    buckets=LATENCY_BUCKETS_MS,
    registry=REGISTRY,
)
http_requests_in_flight = Gauge("http_requests_in_flight", "Requests that have no answer yet.", registry=REGISTRY)
# By part and not by step: names of steps come with requests, and a label must not grow without bound.
workflow_step_latency_ms = Histogram(
    "workflow_step_latency_ms",
    "Time of one piece of work: waiting in the router, on the way, or being computed.",
    ("part",),
    buckets=LATENCY_BUCKETS_MS,
    registry=REGISTRY,
)
model_load_s = Histogram(
    "model_load_s", "Time a model took to load.", buckets=(0.1, 0.2, 0.5, 1, 2, 5, 10, 30), registry=REGISTRY
)
# By model: there are no more of them than packages that are served.
model_loads_total = Counter("model_loads_total", "Loads of a model.", ("model",), registry=REGISTRY)
model_load_failures_total = Counter("model_load_failures_total", "Loads of models that failed.", registry=REGISTRY)
model_evictions_total = Counter("model_evictions_total", "Models unloaded to make room for others.", registry=REGISTRY)
models_loaded = Gauge("models_loaded", "Models that are loaded.", registry=REGISTRY)
replica_calls_total = Counter(
    "replica_calls_total", "Calls to replicas, by the way they went.", ("way",), registry=REGISTRY
)
compute_s_total = Counter("compute_s_total", "Time a replica spent computing.", registry=REGISTRY)


def record_request(method: str, route: str, status: int, latency_ms: float) -> None:
    """Count one answered request; `route` is the path's pattern, never the path."""
    http_requests_total.labels(method, route, str(status)).inc()
    http_request_latency_ms.labels(route).observe(latency_ms)


def record_step(queue_ms: float, transfer_ms: float, compute_ms: float) -> None:
    """Count one piece of work; one that had no way to go neither waited nor travelled."""
    if queue_ms or transfer_ms:
        workflow_step_latency_ms.labels("queue").observe(queue_ms)
        workflow_step_latency_ms.labels("transfer").observe(transfer_ms)
    workflow_step_latency_ms.labels("compute").observe(compute_ms)


def record_load(model_id: str, seconds: float) -> None:
    """Count a model that is loaded now."""
    model_loads_total.labels(model_id).inc()
    model_load_s.observe(seconds)


def exposition() -> bytes:
    """All metrics of this process in the Prometheus text format."""
    return generate_latest(REGISTRY)
