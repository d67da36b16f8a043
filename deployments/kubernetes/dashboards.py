"""Grafana's dashboards: rows of panels, each a title, a unit and what is asked of Prometheus."""

from __future__ import annotations

from typing import Any

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 12, 8
OF = 'endpoint="$endpoint"'

LATENCY = f"rate(ray_serve_deployment_processing_latency_ms_bucket{{{OF}}}[$window])"

# Title, unit, legend, expression.
SERVING = (
    (
        "Requests",
        "reqps",
        "{{deployment}}",
        f"sum by (deployment) (rate(ray_serve_deployment_request_counter_total{{{OF}}}[$window]))",
    ),
    ("Calls, 95 of 100", "ms", "{{deployment}}", f"histogram_quantile(0.95, sum by (le, deployment) ({LATENCY}))"),
    (
        "Calls under way",
        "short",
        "{{deployment}}",
        f"sum by (deployment) (ray_serve_replica_processing_queries{{{OF}}})",
    ),
    (
        "Healthy replicas",
        "short",
        "{{deployment}}",
        f"sum by (deployment) (ray_serve_deployment_replica_healthy{{{OF}}})",
    ),
    (
        "Replicas started",
        "short",
        "{{deployment}}",
        f"sum by (deployment) (ray_serve_deployment_replica_starts_total{{{OF}}})",
    ),
)
MACHINES = (
    ("CPU of pods", "percent", "{{instance}}", f"max by (instance) (ray_node_cpu_utilization{{{OF}}})"),
    ("Memory of pods", "bytes", "{{instance}}", f"max by (instance) (ray_node_mem_used{{{OF}}})"),
    ("CPUs given to replicas", "short", "{{State}}", f'sum by (State) (ray_resources{{{OF},Name="CPU"}})'),
    ("Pods that are seen", "short", "{{role}}", f"sum by (role) (up{{{OF}}})"),
)


def dashboards() -> dict[str, dict[str, Any]]:
    """File name -> dashboard."""
    return {
        "sightline-serving.json": _dashboard("sightline-serving", "Sightline: serving", SERVING),
        "sightline-machines.json": _dashboard("sightline-machines", "Sightline: machines", MACHINES),
    }


def _dashboard(uid: str, title: str, rows: tuple[tuple[str, str, str, str], ...]) -> dict[str, Any]:
    return {
        "uid": uid,
        "title": title,
        "schemaVersion": 39,
        "tags": ["sightline"],
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus"},
                {
                    "name": "endpoint",
                    "type": "query",
                    "datasource": DATA_SOURCE,
                    "query": "label_values(up, endpoint)",
                },
                {"name": "window", "type": "interval", "query": "1m,5m,15m", "current": {"text": "5m", "value": "5m"}},
            ]
        },
        "panels": [_panel(at, *row) for at, row in enumerate(rows)],
    }


def _panel(at: int, title: str, unit: str, legend: str, expression: str) -> dict[str, Any]:
    return {
        "id": at + 1,
        "type": "timeseries",
        "title": title,
        "datasource": DATA_SOURCE,
        "gridPos": {"x": at % 2 * WIDTH, "y": at // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": legend}],
    }
