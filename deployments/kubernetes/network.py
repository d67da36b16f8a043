"""Who may talk to whom: everything that is not named here is refused."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.objects import (
    AUTOSCALER_METRICS_PORT,
    CONTROL_PODS,
    DASHBOARD_METRICS_PORT,
    DASHBOARD_PORT,
    METRICS_PORT,
    SERVE_PORT,
    Object,
    named,
    pods_of,
)
from deployments.kubernetes.routes import GATEWAY
from deployments.kubernetes.values import Gateway, IncrementalUpgrade, NoRoute, Redis, Values

NAMESPACE_NAME = "kubernetes.io/metadata.name"
REDIS_PORT = 6379


def network_policy(values: Values) -> Object:
    """Pods of one cluster among themselves, and the few who have business with them."""
    own = [{"podSelector": pods_of(values)}]
    sources = [
        {"from": own},
        {"from": [_namespace(values.operator_namespace)], "ports": _ports(DASHBOARD_PORT, SERVE_PORT)},
    ]
    if not isinstance(values.route, NoRoute):
        sources.append({"from": [_namespace(values.route.allowed_namespace)], "ports": _ports(SERVE_PORT)})
    if values.control.enabled:
        sources.append({"from": [{"podSelector": CONTROL_PODS}], "ports": _ports(DASHBOARD_PORT, SERVE_PORT)})
    # Some controllers run a Gateway's pods beside it, in this namespace.
    gateways = [GATEWAY] if isinstance(values.route, Gateway) else []
    if isinstance(values.upgrade, IncrementalUpgrade):
        gateways.append(f"{values.name}-gateway")  # KubeRay makes it
    for name in gateways:
        pods = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": name}}
        sources.append({"from": [{"podSelector": pods}], "ports": _ports(SERVE_PORT)})
    if values.monitoring.enabled:
        metrics = _ports(METRICS_PORT, AUTOSCALER_METRICS_PORT, DASHBOARD_METRICS_PORT)
        sources.append({"from": [_namespace(values.monitoring.namespace)], "ports": metrics})
    name_service = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    targets: list[dict[str, Any]] = [
        {"to": own},
        {"to": [_namespace("kube-system")], "ports": name_service},
        {"ports": _ports(6443)},  # the API server, for the autoscaler; its address is the cluster's own secret
    ]
    if values.egress_https:
        targets.append({"ports": _ports(443)})
    if isinstance(values.gcs, Redis):
        targets.append({"ports": _ports(int((values.gcs.address or f":{REDIS_PORT}").rpartition(":")[2]))})
    spec = {
        "podSelector": pods_of(values),
        "policyTypes": ["Ingress", "Egress"],
        "ingress": sources,
        "egress": targets,
    }
    return named(values, "networking.k8s.io/v1", "NetworkPolicy", values.name, spec=spec)


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _ports(*ports: int) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]
