"""What the Prometheus operator and Grafana are given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deployments.kubernetes.alerts import alert_groups, alert_groups_of_made
from deployments.kubernetes.dashboards import dashboards
from deployments.kubernetes.objects import (
    ENDPOINT_LABEL,
    MANAGER,
    MANAGER_LABEL,
    REVISION_LABEL,
    ROLE_LABEL,
    SUBDOMAIN_LABEL,
    Object,
    named,
    pods_of,
)
from deployments.kubernetes.values import Values

PORTS = ("metrics", "as-metrics", "dash-metrics")


def monitoring_objects(values: Values) -> list[Object]:
    """PodMonitors of the endpoint and of what the control plane makes, PrometheusRule, ConfigMap of dashboards."""
    groups = [*alert_groups(values.name), *alert_groups_of_made()]
    rules = named(values, "monitoring.coreos.com/v1", "PrometheusRule", values.name, spec={"groups": groups})
    files = {name: json.dumps(content, indent=2) + "\n" for name, content in dashboards().items()}
    shown = named(values, "v1", "ConfigMap", "sightline-dashboards", data=files)
    shown["metadata"]["labels"]["grafana_dashboard"] = "1"  # what Grafana's sidecar looks for
    return [
        _pod_monitor(values, values.name, pods_of(values), {ENDPOINT_LABEL: "server", ROLE_LABEL: "role"}),
        _pod_monitor(
            values,
            "sightline-endpoints",
            {"matchLabels": {MANAGER_LABEL: MANAGER}},
            # By the name that users know, whichever revision answers.
            {SUBDOMAIN_LABEL: "server", REVISION_LABEL: "revision", ROLE_LABEL: "role"},
        ),
        rules,
        shown,
    ]


def _pod_monitor(values: Values, name: str, pods: Object, targets: Mapping[str, str]) -> Object:
    relabel: list[dict[str, Any]] = [
        {"sourceLabels": [f"__meta_kubernetes_pod_label_{_escaped(label)}"], "targetLabel": target}
        for label, target in targets.items()
    ]
    spec = {
        "selector": pods,
        "podMetricsEndpoints": [{"port": port, "relabelings": relabel} for port in PORTS],
    }
    return named(values, "monitoring.coreos.com/v1", "PodMonitor", name, spec=spec)


def _escaped(label: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in label)
