"""Grafana's dashboards, as its JSON."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.panels import ENDPOINTS, MODELS, OVERVIEW, RAY, SERVER, Panel

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 12, 8

SERVERS = "label_values(ray_sightline_http_requests_in_flight, server)"
ENDPOINTS_OF_SERVER = f"label_values(ray_sightline_http_requests_in_flight{{{SERVER}}}, application)"


def dashboards() -> dict[str, dict[str, Any]]:
    """File name -> dashboard."""
    made = (
        _dashboard("sightline-overview", "Sightline: overview", OVERVIEW),
        _dashboard("sightline-endpoint", "Sightline: one endpoint", ENDPOINTS, of_endpoint=True),
        _dashboard("sightline-models", "Sightline: models and batches", MODELS, of_endpoint=True),
        _dashboard("sightline-ray", "Sightline: Ray and machines", RAY),
    )
    return {f"{each['uid']}.json": each for each in made}


def _dashboard(uid: str, title: str, panels: tuple[Panel, ...], *, of_endpoint: bool = False) -> dict[str, Any]:
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        _asked("server", SERVERS),
        # Its revision, behind a dot, comes and goes with rolling changes.
        *([_asked("endpoint", ENDPOINTS_OF_SERVER, regex="/^([^.]+)/")] if of_endpoint else []),
        {"name": "window", "type": "interval", "query": "1m,5m,15m", "current": {"text": "5m", "value": "5m"}},
    ]
    return {
        "uid": uid,
        "title": title,
        "schemaVersion": 39,
        "tags": ["sightline"],
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "links": [{"type": "dashboards", "title": "Sightline", "tags": ["sightline"], "keepTime": True}],
        "templating": {"list": variables},
        "panels": [_panel(at, panel) for at, panel in enumerate(panels)],
    }


def _asked(name: str, query: str, *, regex: str = "") -> dict[str, Any]:
    return {"name": name, "type": "query", "datasource": DATA_SOURCE, "query": query, "regex": regex, "refresh": 2}


def _panel(at: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": at + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": DATA_SOURCE,
        "gridPos": {"x": at % 2 * WIDTH, "y": at // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "expr": expression, "legendFormat": legend}
            for number, (legend, expression) in enumerate(panel.queries.items())
        ],
    }
