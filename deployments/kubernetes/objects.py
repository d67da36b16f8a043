"""What all objects have in common: names of kinds, labels, ports."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.values import Values

Object = dict[str, Any]

ENDPOINT_LABEL = "sightline/endpoint"
ROLE_LABEL = "sightline/role"
# Of what the control plane makes: whose it is, and which endpoint and revision it belongs to.
MANAGER_LABEL = "app.kubernetes.io/managed-by"
MANAGER = "sightline-control"
SUBDOMAIN_LABEL = "sightline/subdomain"
REVISION_LABEL = "sightline/revision"
HOST_LABEL = "sightline/host"
REDIS = "sightline-redis"
CONTROL_PODS = {"matchLabels": {"app.kubernetes.io/name": MANAGER}}
# Ports of Ray and Serve in a pod. Source: ray 2.60.0, and KubeRay 1.7 constant.go for their names.
GCS_PORT = 6379
DASHBOARD_PORT = 8265
CLIENT_PORT = 10001
SERVE_PORT = 8000
CONTROL_PORT = 9600
REDIS_PORT = 6379
METRICS_PORT = 8080
AUTOSCALER_METRICS_PORT = 44217
DASHBOARD_METRICS_PORT = 44227


def labels(values: Values) -> dict[str, str]:
    """Labels of every object of an endpoint."""
    return {"app.kubernetes.io/part-of": "sightline", ENDPOINT_LABEL: values.name}


def named(values: Values, api_version: str, kind: str, name: str, **content: Any) -> Object:
    """An object in the endpoint's namespace."""
    metadata = {"name": name, "namespace": values.namespace, "labels": labels(values)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def annotation(item: Object, name: str) -> str | None:
    """What an object says under this name; None when it says nothing."""
    found: str | None = (item["metadata"].get("annotations") or {}).get(name)
    return found


def pods_of(values: Values, **more: str) -> dict[str, Any]:
    """A selector of the endpoint's pods."""
    return {"matchLabels": {ENDPOINT_LABEL: values.name, **more}}


def serve_service(name: str) -> str:
    """The Service that KubeRay makes for requests to a RayService."""
    return f"{name}-serve-svc"


def head_service(name: str) -> str:
    """The Service that KubeRay makes for the head of a RayService."""
    return f"{name}-head-svc"
