"""What somebody should be woken for, as rules of Prometheus."""

from __future__ import annotations

from typing import Any

RUNBOOK = "docs/kubernetes.md"


def alert_groups(name: str) -> list[dict[str, Any]]:
    """Rule groups of an endpoint.

    Series are what Ray's metrics ports of its pods show, and what Prometheus says of the pods themselves.
    """
    of = f'endpoint="{name}"'
    errors = f"ray_serve_deployment_error_counter_total{{{of}}}"
    requests = f"ray_serve_deployment_request_counter_total{{{of}}}"
    latency = f"ray_serve_deployment_processing_latency_ms_bucket{{{of}}}"
    rules = [
        _rule(
            "SightlineErrors",
            f"sum(rate({errors}[5m])) / sum(rate({requests}[5m])) > 0.02",
            "5m",
            "critical",
            "More than 2 % of the calls of {endpoint} end with an error.",
        ),
        _rule(
            "SightlineSlow",
            f"histogram_quantile(0.99, sum by (le, deployment) (rate({latency}[10m]))) > 5000",
            "10m",
            "warning",
            "One in a hundred calls of a deployment of {endpoint} takes longer than 5 s.",
        ),
        _rule(
            "SightlineReplicaUnhealthy",
            f"min by (deployment, replica) (ray_serve_deployment_replica_healthy{{{of}}}) == 0",
            "5m",
            "warning",
            "A replica of {endpoint} has been unhealthy for 5 minutes.",
        ),
        _rule(
            "SightlineReplicasRestart",
            f"sum by (deployment) (increase(ray_serve_deployment_replica_starts_total{{{of}}}[15m])) > 10",
            "0m",
            "warning",
            "Replicas of a deployment of {endpoint} start again and again.",
        ),
        _rule(
            "SightlineHeadAbsent",
            f'absent(up{{{of},role="head"}} == 1)',
            "3m",
            "critical",
            "The head of {endpoint} has not been seen for 3 minutes: it serves, but nothing grows or heals.",
        ),
        _rule(
            "SightlineNoWorkers",
            f'absent(up{{{of},role="worker"}} == 1)',
            "3m",
            "critical",
            "{endpoint} has no pod that could answer.",
        ),
    ]
    for rule in rules:
        rule["labels"]["endpoint"] = name  # absent() keeps no labels of its own
        rule["annotations"]["summary"] = rule["annotations"]["summary"].format(endpoint=name)
    return [{"name": f"sightline-{name}", "rules": rules}]


def _rule(alert: str, expression: str, lasting: str, severity: str, summary: str) -> dict[str, Any]:
    return {
        "alert": alert,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": f"{RUNBOOK}#{alert.lower()}"},
    }
