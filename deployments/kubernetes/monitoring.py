"""What the Prometheus operator and Grafana are given."""

from __future__ import annotations

import json
from typing import Any

from deployments.kubernetes.alerts import alert_groups
from deployments.kubernetes.dashboards import dashboards
from deployments.kubernetes.objects import ENDPOINT_LABEL, ROLE_LABEL, Object, named, pods_of
from deployments.kubernetes.values import Values

PORTS = ("metrics", "as-metrics", "dash-metrics")


def monitoring_objects(values: Values) -> list[Object]:
    """PodMonitor, PrometheusRule and a ConfigMap of dashboards."""
    rules = named(
        values, "monitoring.coreos.com/v1", "PrometheusRule", values.name, spec={"groups": alert_groups(values.name)}
    )
    files = {name: json.dumps(content, indent=2) + "\n" for name, content in dashboards().items()}
    shown = named(values, "v1", "ConfigMap", "sightline-dashboards", data=files)
    shown["metadata"]["labels"]["grafana_dashboard"] = "1"  # what Grafana's sidecar looks for
    return [_pod_monitor(values), rules, shown]


def _pod_monitor(values: Values) -> Object:
    relabel: list[dict[str, Any]] = [
        {"sourceLabels": [f"__meta_kubernetes_pod_label_{_escaped(label)}"], "targetLabel": target}
        for label, target in ((ENDPOINT_LABEL, "server"), (ROLE_LABEL, "role"))
    ]
    spec = {
        "selector": pods_of(values),
        "podMetricsEndpoints": [{"port": port, "relabelings": relabel} for port in PORTS],
    }
    return named(values, "monitoring.coreos.com/v1", "PodMonitor", values.name, spec=spec)


def _escaped(label: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in label)
