"""What somebody should be woken for, as rules of Prometheus. What to do then is in docs/runbook.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployments.kubernetes.lint import LIVENESS_S

RUNBOOK = "docs/runbook.md"

MADE = 'server!="",revision!=""'
"""Series of endpoints that the control plane makes: only their PodMonitor gives them a revision."""


def alert_groups(name: str) -> list[dict[str, Any]]:
    """Rule groups of a RayService; its name is the label `server` of its series.

    Series are what Ray's metrics ports of its pods show, and what Prometheus says of the pods themselves.
    """
    rules = _rules(f'server="{name}"', name, lambda series: f"absent({series})")
    for rule in rules:
        rule["labels"]["server"] = name  # absent() keeps no labels of its own
    return [{"name": f"sightline-{name}", "rules": rules}]


def alert_groups_of_made() -> list[dict[str, Any]]:
    """The same for each endpoint that the control plane makes, whatever its name.

    Nothing tells a paused one, which has no pods, from one that lost all of them: what is missing is missed only of
    those that have pods, and had some so long ago that KubeRay's liveness probe would have ended a start by now.
    """
    seen = f"group by (server) (up{{{MADE}}}) and group by (server) (up{{{MADE}}} offset {LIVENESS_S}s)"
    rules = _rules(MADE, "{{ $labels.server }}", lambda series: f"({seen}) unless group by (server) ({series})")
    return [{"name": "sightline-endpoints", "rules": rules}]


def _rules(of: str, name: str, missing: Callable[[str], str]) -> list[dict[str, Any]]:
    """The rules.

    Args:
        of: matchers of the series.
        name: what summaries call the endpoint.
        missing: what asks for an endpoint without series like these.
    """
    requests = f"ray_sightline_http_requests_total{{{of}}}"
    failed = f'ray_sightline_http_requests_total{{{of},status=~"5.."}}'
    latency = f"ray_sightline_http_request_latency_ms_bucket{{{of}}}"
    by_application = "by (server, application)"
    by_deployment = "by (server, application, deployment)"
    by_pod = "by (server, instance)"
    starts = f"sum {by_deployment} (ray_serve_deployment_replica_starts_total{{{of}}}"
    return [
        _rule(
            "SightlineErrors",
            f"sum {by_application} (rate({failed}[5m])) / sum {by_application} (rate({requests}[5m])) > 0.02",
            "5m",
            "critical",
            f"More than 2 % of the answers of {name} are errors of ours.",
        ),
        _rule(
            "SightlineSlow",
            f"histogram_quantile(0.99, sum by (le, server, application) (rate({latency}[10m]))) > 5000",
            "10m",
            "warning",
            f"One in a hundred answers of {name} takes longer than 5 s.",
        ),
        _rule(
            "SightlineWorkWaits",
            f"sum {by_deployment} (rate(ray_sightline_coalescing_waited_ms_total{{{of}}}[10m]))"
            f" / sum {by_deployment} (rate(ray_sightline_coalescing_items_total{{{of}}}[10m])) > 1000",
            "10m",
            "warning",
            f"Work of {name} waits longer than 1 s for a replica.",
        ),
        _rule(
            "SightlineWorkRefused",
            f"sum {by_deployment} (rate(ray_sightline_coalescing_refused_total{{{of}}}[5m])) > 0",
            "5m",
            "critical",
            f"A queue of {name} is full: work is turned away.",
        ),
        _rule(
            "SightlineTurnedAway",
            f'sum {by_application} (rate(ray_sightline_admission_refused_total{{{of},reason!="client"}}[5m]))'
            f" / sum {by_application} (rate({requests}[5m])) > 0.01",
            "5m",
            "critical",
            f"More than 1 % of the requests to {name} are turned away at the door.",
        ),
        _rule(
            "SightlineReplicaUnhealthy",
            f"min by (server, application, deployment, replica) (ray_serve_deployment_replica_healthy{{{of}}}) == 0",
            "5m",
            "warning",
            f"A replica of {name} has been unhealthy for 5 minutes.",
        ),
        _rule(
            "SightlineReplicasMissing",
            f"max {by_deployment} (ray_serve_autoscaling_target_replicas{{{of}}})"
            f" - sum {by_deployment} (ray_serve_deployment_replica_healthy{{{of}}}) > 0",
            "15m",
            "warning",
            f"A deployment of {name} has had fewer replicas than it wants for 15 minutes.",
        ),
        _rule(
            "SightlineReplicasRestart",
            # Each replica has a series of its own, which begins at 1: rate() and increase() see nothing of it.
            f"{starts}) - {starts} offset 15m) > 10",
            "0m",
            "warning",
            f"Replicas of a deployment of {name} start again and again.",
        ),
        _rule(
            "SightlineModelDoesNotLoad",
            f"sum {by_deployment} (increase(ray_sightline_model_load_failures_total{{{of}}}[10m])) > 0",
            "0m",
            "warning",
            f"A model of {name} cannot be loaded.",
        ),
        _rule(
            "SightlineModelsThrash",
            f"sum {by_deployment} (increase(ray_sightline_model_evictions_total{{{of}}}[10m])) > 20",
            "10m",
            "warning",
            f"Models of {name} are unloaded and loaded in turn.",
        ),
        _rule(
            "SightlineMemory",
            f"max {by_pod} (ray_node_mem_used{{{of}}}) / max {by_pod} (ray_node_mem_total{{{of}}}) > 0.92",
            "5m",
            "warning",
            f"A pod of {name} has little memory left.",
        ),
        _rule(
            "SightlineControllerStuck",
            f"sum by (server) (rate(ray_serve_controller_num_control_loops{{{of}}}[5m])) == 0",
            "5m",
            "critical",
            f"Serve's controller of {name} does nothing: it serves, but nothing grows or heals.",
        ),
        _rule(
            "SightlineNoRouter",
            missing(f"ray_sightline_http_requests_in_flight{{{of}}}"),
            "3m",
            "critical",
            f"No WorkflowRouter of {name} has told anything for 3 minutes: nobody answers requests.",
        ),
        _rule(
            "SightlineHeadAbsent",
            missing(f'up{{{of},role="head"}} == 1'),
            "3m",
            "critical",
            f"The head of {name} has not been seen for 3 minutes: it serves, but nothing grows or heals.",
        ),
        _rule(
            "SightlineNoWorkers",
            missing(f'up{{{of},role="worker"}} == 1'),
            "3m",
            "critical",
            f"{name} has no pod that could answer.",
        ),
    ]


def _rule(alert: str, expression: str, lasting: str, severity: str, summary: str) -> dict[str, Any]:
    return {
        "alert": alert,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": f"{RUNBOOK}#{alert.lower()}"},
    }
