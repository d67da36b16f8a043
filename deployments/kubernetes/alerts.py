"""What somebody should be woken for, as rules of Prometheus. What to do then is in docs/runbook.md."""

from __future__ import annotations

from typing import Any

RUNBOOK = "docs/runbook.md"


def alert_groups(name: str) -> list[dict[str, Any]]:
    """Rule groups of a RayService; its name is the label `server` of its series.

    Series are what Ray's metrics ports of its pods show, and what Prometheus says of the pods themselves.
    """
    of = f'server="{name}"'
    requests = f"ray_sightline_http_requests_total{{{of}}}"
    failed = f'ray_sightline_http_requests_total{{{of},status=~"5.."}}'
    latency = f"ray_sightline_http_request_latency_ms_bucket{{{of}}}"
    starts = f"sum by (application, deployment) (ray_serve_deployment_replica_starts_total{{{of}}}"
    rules = [
        _rule(
            "SightlineErrors",
            f"sum by (application) (rate({failed}[5m])) / sum by (application) (rate({requests}[5m])) > 0.02",
            "5m",
            "critical",
            "More than 2 % of the answers of {name} are errors of ours.",
        ),
        _rule(
            "SightlineSlow",
            f"histogram_quantile(0.99, sum by (le, application) (rate({latency}[10m]))) > 5000",
            "10m",
            "warning",
            "One in a hundred answers of {name} takes longer than 5 s.",
        ),
        _rule(
            "SightlineWorkWaits",
            f"sum by (application, deployment) (rate(ray_sightline_coalescing_waited_ms_total{{{of}}}[10m]))"
            f" / sum by (application, deployment) (rate(ray_sightline_coalescing_items_total{{{of}}}[10m])) > 1000",
            "10m",
            "warning",
            "Work of {name} waits longer than 1 s for a replica.",
        ),
        _rule(
            "SightlineWorkRefused",
            f"sum by (application, deployment) (rate(ray_sightline_coalescing_refused_total{{{of}}}[5m])) > 0",
            "5m",
            "critical",
            "A queue of {name} is full: work is turned away.",
        ),
        _rule(
            "SightlineTurnedAway",
            f'sum by (application) (rate(ray_sightline_admission_refused_total{{{of},reason!="client"}}[5m]))'
            f" / sum by (application) (rate({requests}[5m])) > 0.01",
            "5m",
            "critical",
            "More than 1 % of the requests to {name} are turned away at the door.",
        ),
        _rule(
            "SightlineReplicaUnhealthy",
            f"min by (application, deployment, replica) (ray_serve_deployment_replica_healthy{{{of}}}) == 0",
            "5m",
            "warning",
            "A replica of {name} has been unhealthy for 5 minutes.",
        ),
        _rule(
            "SightlineReplicasMissing",
            f"max by (application, deployment) (ray_serve_autoscaling_target_replicas{{{of}}})"
            f" - sum by (application, deployment) (ray_serve_deployment_replica_healthy{{{of}}}) > 0",
            "15m",
            "warning",
            "A deployment of {name} has had fewer replicas than it wants for 15 minutes.",
        ),
        _rule(
            "SightlineReplicasRestart",
            # Each replica has a series of its own, which begins at 1: rate() and increase() see nothing of it.
            f"{starts}) - {starts} offset 15m) > 10",
            "0m",
            "warning",
            "Replicas of a deployment of {name} start again and again.",
        ),
        _rule(
            "SightlineModelDoesNotLoad",
            f"sum by (application, deployment) (increase(ray_sightline_model_load_failures_total{{{of}}}[10m])) > 0",
            "0m",
            "warning",
            "A model of {name} cannot be loaded.",
        ),
        _rule(
            "SightlineModelsThrash",
            f"sum by (application, deployment) (increase(ray_sightline_model_evictions_total{{{of}}}[10m])) > 20",
            "10m",
            "warning",
            "Models of {name} are unloaded and loaded in turn.",
        ),
        _rule(
            "SightlineMemory",
            f"max by (instance) (ray_node_mem_used{{{of}}}) / max by (instance) (ray_node_mem_total{{{of}}}) > 0.92",
            "5m",
            "warning",
            "A pod of {name} has little memory left.",
        ),
        _rule(
            "SightlineControllerStuck",
            f"sum(rate(ray_serve_controller_num_control_loops{{{of}}}[5m])) == 0",
            "5m",
            "critical",
            "Serve's controller of {name} does nothing: it serves, but nothing grows or heals.",
        ),
        _rule(
            "SightlineNoRouter",
            f"absent(ray_sightline_http_requests_in_flight{{{of}}})",
            "3m",
            "critical",
            "No WorkflowRouter of {name} has told anything for 3 minutes: nobody answers requests.",
        ),
        _rule(
            "SightlineHeadAbsent",
            f'absent(up{{{of},role="head"}} == 1)',
            "3m",
            "critical",
            "The head of {name} has not been seen for 3 minutes: it serves, but nothing grows or heals.",
        ),
        _rule(
            "SightlineNoWorkers",
            f'absent(up{{{of},role="worker"}} == 1)',
            "3m",
            "critical",
            "{name} has no pod that could answer.",
        ),
    ]
    for rule in rules:
        rule["labels"]["server"] = name  # absent() keeps no labels of its own
        rule["annotations"]["summary"] = rule["annotations"]["summary"].format(name=name)
    return [{"name": f"sightline-{name}", "rules": rules}]


def _rule(alert: str, expression: str, lasting: str, severity: str, summary: str) -> dict[str, Any]:
    return {
        "alert": alert,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": f"{RUNBOOK}#{alert.lower()}"},
    }
