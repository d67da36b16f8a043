"""Who may talk to whom: everything that is not named here is refused."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.objects import (
    AUTOSCALER_METRICS_PORT,
    CONTROL_PODS,
    DASHBOARD_METRICS_PORT,
    DASHBOARD_PORT,
    METRICS_PORT,
    REDIS_PORT,
    SERVE_PORT,
    Object,
    named,
    pods_of,
)
from deployments.kubernetes.routes import GATEWAY
from deployments.kubernetes.values import Gateway, IncrementalUpgrade, NoRoute, Redis, Values

NAMESPACE_NAME = "kubernetes.io/metadata.name"
POSTGRESQL_PORT = 5432


def network_policy(values: Values) -> Object:
    """Pods of one cluster among themselves, and the few who have business with them."""
    own = [{"podSelector": pods_of(values)}]
    sources = [
        {"from": own},
        {"from": [_namespace(values.operator_namespace)], "ports": ports(DASHBOARD_PORT, SERVE_PORT)},
    ]
    sources += endpoint_sources(values, SERVE_PORT)
    if values.control.enabled:
        sources.append({"from": [{"podSelector": CONTROL_PODS}], "ports": ports(DASHBOARD_PORT, SERVE_PORT)})
    if isinstance(values.upgrade, IncrementalUpgrade):
        sources.append(_from_gateway(f"{values.name}-gateway", SERVE_PORT))  # KubeRay makes it
    if values.monitoring.enabled:
        metrics = ports(METRICS_PORT, AUTOSCALER_METRICS_PORT, DASHBOARD_METRICS_PORT)
        sources.append({"from": [_namespace(values.monitoring.namespace)], "ports": metrics})
    targets: list[dict[str, Any]] = [
        {"to": own},
        name_service(),
        {"ports": ports(6443)},  # the API server, for the autoscaler; its address is the cluster's own secret
    ]
    if values.egress_https:
        targets.append({"ports": ports(443)})
    if isinstance(values.gcs, Redis):
        targets.append({"ports": ports(int((values.gcs.address or f":{REDIS_PORT}").rpartition(":")[2]))})
    if values.control.database_secret is not None:
        targets.append({"ports": ports(POSTGRESQL_PORT)})  # the keys of those who ask
    spec = {
        "podSelector": pods_of(values),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": sources,
        "egress": targets,
    }
    return named(values, "networking.k8s.io/v1", "NetworkPolicy", values.name, spec=spec)


def endpoint_sources(values: Values, port: int) -> list[dict[str, Any]]:
    """Where requests of clients come from."""
    if isinstance(values.route, NoRoute):
        return []
    sources: list[dict[str, Any]] = [{"from": [_namespace(values.route.allowed_namespace)], "ports": ports(port)}]
    if isinstance(values.route, Gateway):
        sources.append(_from_gateway(GATEWAY, port))
    return sources


def _from_gateway(name: str, port: int) -> dict[str, Any]:
    # Some controllers run a Gateway's pods beside it, in this namespace.
    pods = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": name}}
    return {"from": [{"podSelector": pods}], "ports": ports(port)}


def name_service() -> dict[str, Any]:
    """To Kubernetes' DNS."""
    asked = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    return {"to": [_namespace("kube-system")], "ports": asked}


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def ports(*numbers: int) -> list[dict[str, Any]]:
    """Ports of a rule."""
    return [{"port": number, "protocol": "TCP"} for number in numbers]
