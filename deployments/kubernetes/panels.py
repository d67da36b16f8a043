"""What the dashboards show: panels, each with what to make of it and what is asked of Prometheus for it."""

from __future__ import annotations

from dataclasses import dataclass

SERVER = 'server="$server"'
ENDPOINT = f'{SERVER},application=~"$endpoint([.].*)?"'
"""On one machine the application of an endpoint is named after it, with its revision behind a dot."""

FAILED = 'status=~"5.."'
NO_ROUTER = 'deployment!="WorkflowRouter"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        title: what it shows.
        unit: Grafana's name of it.
        text: what to make of it.
        queries: legend -> expression; `{{label}}` in a legend is the label's value.
    """

    title: str
    unit: str
    text: str
    queries: dict[str, str]


def _rate(metric: str, labels: str, *more: str) -> str:
    return f"rate(ray_{metric}{{{','.join((labels, *more))}}}[$window])"


def _by(labels: str, series: str, how: str = "sum") -> dict[str, str]:
    """One line for each value of labels, which are its legend."""
    legend = " ".join(f"{{{{{label}}}}}" for label in labels.split(", "))
    return {legend: f"{how} by ({labels}) ({series})"}


def _percentiles(metric: str, labels: str, by: str = "") -> dict[str, str]:
    grouped = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return {
        f"p{percent}{legend}": f"histogram_quantile({percent / 100:g}, sum by ({grouped}) ({_rate(metric, labels)}))"
        for percent in (50, 95, 99)
    }


def _error_share(labels: str, by: str) -> str:
    requests = f"sum by ({by}) ({_rate('sightline_http_requests_total', labels)})"
    failed = f"sum by ({by}) ({_rate('sightline_http_requests_total', labels, FAILED)})"
    return f"({failed} or 0 * {requests}) / {requests}"


def _mean(metric: str, labels: str, by: str) -> str:
    total, count = _rate(f"{metric}_sum", labels), _rate(f"{metric}_count", labels)
    return f"sum by ({by}) ({total}) / sum by ({by}) ({count})"


OVERVIEW = (
    Panel(
        title="Requests",
        unit="reqps",
        text="Answers a second of each endpoint, health checks included.",
        queries=_by("application", _rate("sightline_http_requests_total", SERVER)),
    ),
    Panel(
        title="Errors",
        unit="percentunit",
        text="Share of answers with a status of 500 or more: ours to mend. Those of 400 and more are the clients'.",
        queries={"{{application}}": _error_share(SERVER, "application")},
    ),
    Panel(
        title="Latency",
        unit="ms",
        text="From a request's first byte to its answer, all endpoints together.",
        queries=_percentiles("sightline_http_request_latency_ms_bucket", SERVER),
    ),
    Panel(
        title="Latency, 99 of 100",
        unit="ms",
        text="Which endpoint is slow.",
        queries={
            "{{application}}": "histogram_quantile(0.99, sum by (le, application) "
            f"({_rate('sightline_http_request_latency_ms_bucket', SERVER)}))"
        },
    ),
    Panel(
        title="Requests without an answer yet",
        unit="short",
        text="Rises with load; rises without end when something hangs.",
        queries=_by("application", f"ray_sightline_http_requests_in_flight{{{SERVER}}}"),
    ),
    Panel(
        title="Work that waits",
        unit="short",
        text="Images, crops and steps in the routers' queues, by the deployment they wait for: the one that is short.",
        queries=_by("application, deployment", f"ray_sightline_coalescing_queued_items{{{SERVER}}}"),
    ),
    Panel(
        title="Time that replicas compute",
        unit="percentunit",
        text="Near 1 a deployment is full: it needs replicas, they need machines.",
        queries=_by("application, deployment", _rate("sightline_compute_s_total", SERVER, NO_ROUTER), "avg"),
    ),
    Panel(
        title="Healthy replicas",
        unit="short",
        text="Fewer than wanted (the next panel): they start, or have nowhere to start.",
        queries=_by("application, deployment", f"ray_serve_deployment_replica_healthy{{{SERVER}}}"),
    ),
    Panel(
        title="Replicas wanted",
        unit="short",
        text="What the autoscaler decided.",
        queries=_by("application, deployment", f"ray_serve_autoscaling_target_replicas{{{SERVER}}}", "max"),
    ),
    Panel(
        title="Turned away at the door",
        unit="reqps",
        text="More came than could be answered in time, or held in memory; clients were told when to come again.",
        queries=_by("reason", _rate("sightline_admission_refused_total", SERVER)),
    ),
    Panel(
        title="Places taken",
        unit="percentunit",
        text="Of those that the routers have for requests; at 1 they turn away.",
        queries={
            "{{application}}": f"sum by (application) (ray_sightline_admission_in_flight{{{SERVER}}}) / "
            f"sum by (application) (ray_sightline_admission_in_flight_limit{{{SERVER}}})"
        },
    ),
    Panel(
        title="Work given up",
        unit="ops",
        text="Refused: a queue was full. Expired: its time was over. Lost: two replicas died with it.",
        queries={
            f"{why} {{{{application}}}}": f"sum by (application) ({_rate(f'sightline_coalescing_{why}_total', SERVER)})"
            for why in ("refused", "expired", "lost", "cancelled")
        },
    ),
)

ENDPOINTS = (
    Panel(
        title="Requests by status",
        unit="reqps",
        text="499: the client hung up. 429 and 503: more came than could be answered. 504: its time was over.",
        queries=_by("status", _rate("sightline_http_requests_total", ENDPOINT)),
    ),
    Panel(
        title="Requests by route",
        unit="reqps",
        text="What clients ask for.",
        queries=_by("route", _rate("sightline_http_requests_total", ENDPOINT)),
    ),
    Panel(
        title="Errors by route",
        unit="percentunit",
        text="Share of answers with a status of 500 or more.",
        queries={"{{route}}": _error_share(ENDPOINT, "route")},
    ),
    Panel(
        title="Latency",
        unit="ms",
        text="From a request's first byte to its answer.",
        queries=_percentiles("sightline_http_request_latency_ms_bucket", ENDPOINT),
    ),
    Panel(
        title="Latency by route, 95 of 100",
        unit="ms",
        text="Which of them is slow.",
        queries={
            "{{route}}": "histogram_quantile(0.95, sum by (le, route) "
            f"({_rate('sightline_http_request_latency_ms_bucket', ENDPOINT)}))"
        },
    ),
    Panel(
        title="Where the time goes, 95 of 100",
        unit="ms",
        text="Of each piece of work: waiting for a replica (too few of them), on the way (large images), computing.",
        queries={
            "{{part}}": "histogram_quantile(0.95, sum by (le, part) "
            f"({_rate('sightline_workflow_step_latency_ms_bucket', ENDPOINT)}))"
        },
    ),
    Panel(
        title="Calls under way, of those that may be",
        unit="percentunit",
        text="At 1 for long: the replicas of that deployment have no room left.",
        queries={
            "{{deployment}}": f"sum by (deployment) (ray_sightline_coalescing_in_flight_calls{{{ENDPOINT}}}) / "
            f"sum by (deployment) (ray_sightline_coalescing_slots{{{ENDPOINT}}})"
        },
    ),
    Panel(
        title="Calls sent again",
        unit="ops",
        text="A replica died with them; clients see nothing of the first time.",
        queries=_by("deployment", _rate("sightline_coalescing_retries_total", ENDPOINT)),
    ),
    Panel(
        title="Healthy replicas",
        unit="short",
        text="By deployment.",
        queries=_by("deployment", f"ray_serve_deployment_replica_healthy{{{ENDPOINT}}}"),
    ),
    Panel(
        title="Replicas started, ever",
        unit="short",
        text="A staircase is a replica that dies again and again.",
        queries=_by("deployment", f"ray_serve_deployment_replica_starts_total{{{ENDPOINT}}}"),
    ),
)

MODELS = (
    Panel(
        title="Pieces of work in a call",
        unit="short",
        text="Mean size of the batches that replicas get; grows with load.",
        queries={"{{deployment}}": _mean("sightline_coalescing_batch_items", ENDPOINT, "deployment")},
    ),
    Panel(
        title="Fill of calls",
        unit="percentunit",
        text="Mean batch, of the largest there may be. Near 1 with work waiting: more replicas, or larger batches.",
        queries={
            "{{deployment}}": f"{_mean('sightline_coalescing_batch_items', ENDPOINT, 'deployment')} / "
            f"max by (deployment) (ray_sightline_coalescing_batch_limit_items{{{ENDPOINT}}})"
        },
    ),
    Panel(
        title="Calls that many requests share",
        unit="percentunit",
        text="Of all calls; what batching across requests saves.",
        queries={
            "{{deployment}}": f"sum by (deployment) ({_rate('sightline_coalescing_shared_calls_total', ENDPOINT)}) / "
            f"sum by (deployment) ({_rate('sightline_coalescing_calls_total', ENDPOINT)})"
        },
    ),
    Panel(
        title="Waiting for a call, mean",
        unit="ms",
        text="Of a piece of work, in the queue of the router.",
        queries={
            "{{deployment}}": f"sum by (deployment) ({_rate('sightline_coalescing_waited_ms_total', ENDPOINT)}) / "
            f"sum by (deployment) ({_rate('sightline_coalescing_items_total', ENDPOINT)})"
        },
    ),
    Panel(
        title="Models loaded",
        unit="short",
        text="In each replica that runs models.",
        queries={
            "{{deployment}} {{replica}}": "sum by (deployment, replica) "
            f"(ray_sightline_models_loaded{{{ENDPOINT},{NO_ROUTER}}}) > 0"
        },
    ),
    Panel(
        title="Loads of models, ever",
        unit="short",
        text="A model whose line climbs is unloaded and loaded in turn: raise max_loaded_models, or pin it.",
        queries=_by("model", f"ray_sightline_model_loads_total{{{ENDPOINT}}}"),
    ),
    Panel(
        title="Models unloaded to make room, and loads that failed",
        unit="ops",
        text="Both should be 0 most of the time.",
        queries={
            "unloaded {{deployment}}": f"sum by (deployment) ({_rate('sightline_model_evictions_total', ENDPOINT)})",
            "failed {{deployment}}": f"sum by (deployment) ({_rate('sightline_model_load_failures_total', ENDPOINT)})",
        },
    ),
    Panel(
        title="Time of a load, mean since the start",
        unit="s",
        text="The first request to a cold model waits that long.",
        queries={
            "{{deployment}}": f"sum by (deployment) (ray_sightline_model_load_s_sum{{{ENDPOINT}}}) / "
            f"(sum by (deployment) (ray_sightline_model_load_s_count{{{ENDPOINT}}}) > 0)"
        },
    ),
)

RAY = (
    Panel(
        title="Machines and pods that are seen",
        unit="short",
        text="Targets that Prometheus reaches. On Kubernetes by role.",
        queries=_by("role", f"up{{{SERVER}}}"),
    ),
    Panel(
        title="Serve's controller: rounds",
        unit="ops",
        text="It starts and heals replicas. At 0 nothing grows or heals; requests are answered meanwhile.",
        queries={"rounds": f"sum ({_rate('serve_controller_num_control_loops', SERVER)})"},
    ),
    Panel(
        title="Serve's controller: one round",
        unit="s",
        text="Seconds are too much: more deployments than it can look after, or a busy head.",
        queries={"longest": f"max (ray_serve_controller_control_loop_duration_s{{{SERVER}}})"},
    ),
    Panel(
        title="GCS: time of a write or read, 99 of 100",
        unit="ms",
        text="The memory of the cluster. Slow: its Redis, or the disk below RocksDB.",
        queries={
            "{{Operation}}": "histogram_quantile(0.99, sum by (le, Operation) "
            f"(ray_gcs_storage_operation_latency_ms_bucket{{{SERVER}}}))"
        },
    ),
    Panel(
        title="Actors by state",
        unit="short",
        text="Replicas and Serve's own. PendingCreation for long: no machine has room.",
        queries=_by("State", f"ray_gcs_actors_count{{{SERVER}}}"),
    ),
    Panel(
        title="CPUs that replicas have booked",
        unit="short",
        text="AVAILABLE at 0: no further replica starts before a machine comes.",
        queries=_by("State", f'ray_resources{{{SERVER},Name="CPU"}}'),
    ),
    Panel(
        title="CPU",
        unit="percent",
        text="Of each machine or pod.",
        queries=_by("instance", f"ray_node_cpu_utilization{{{SERVER}}}", "max"),
    ),
    Panel(
        title="Memory",
        unit="percentunit",
        text="Of each machine or pod. Near 1 the kernel ends processes.",
        queries={
            "{{instance}}": f"max by (instance) (ray_node_mem_used{{{SERVER}}}) / "
            f"max by (instance) (ray_node_mem_total{{{SERVER}}})"
        },
    ),
    Panel(
        title="Memory by kind of process",
        unit="bytes",
        text="What grows.",
        queries=_by("Component", f"ray_component_rss_bytes{{{SERVER}}}"),
    ),
    Panel(
        title="Disk",
        unit="percent",
        text="Where Ray keeps logs and sockets. Full: nothing starts.",
        queries=_by("instance", f"ray_node_disk_utilization_percentage{{{SERVER}}}", "max"),
    ),
)
