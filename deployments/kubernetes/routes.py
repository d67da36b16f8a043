"""How `<name>.<domain>` leads to the endpoint: a wildcard certificate, and a Gateway or an Ingress that keeps Host."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.objects import SERVE_PORT, Object, named, serve_service
from deployments.kubernetes.values import Gateway, IncrementalUpgrade, Ingress, Issuer, Values

GATEWAY = "sightline"
CERTIFICATE = "sightline-wildcard"
INNER_GATEWAY_PORT = 80
# Longer than the longest request that the ingress of an endpoint allows: it ends requests, the route does not.
REQUEST_TIMEOUT = "660s"
# Headers that mean something inside a cluster and may not come from outside. Source: deployments/edge/edge.cfg.
INNER_HEADERS = (
    "x-sightline-timeout-seconds",
    "x-request-disconnect-disabled",
    "serve_multiplexed_model_id",
    "serve-multiplexed-model-id",
    "forwarded",
)


def route_objects(values: Values) -> list[Object]:
    """What is needed before the endpoint; nothing when its route is none."""
    route = values.route
    if isinstance(route, Gateway):
        return [_certificate(values, route.issuer), _gateway(values, route), http_route(values), _to_https(values)]
    if isinstance(route, Ingress):
        return [_certificate(values, route.issuer), _ingress(values, route)]
    return []


def _certificate(values: Values, issuer: Issuer) -> Object:
    spec = {
        "secretName": f"{CERTIFICATE}-tls",
        "dnsNames": [values.domain, f"*.{values.domain}"],
        "issuerRef": {"name": issuer.name, "kind": issuer.kind, "group": "cert-manager.io"},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
    }
    return named(values, "cert-manager.io/v1", "Certificate", CERTIFICATE, spec=spec)


def _gateway(values: Values, route: Gateway) -> Object:
    from_here = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
    tls = {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": f"{CERTIFICATE}-tls"}]}
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP", "hostname": f"*.{values.domain}", **from_here},
        {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": f"*.{values.domain}", "tls": tls, **from_here},
    ]
    spec = {"gatewayClassName": route.class_name, "listeners": listeners}
    return named(values, "gateway.networking.k8s.io/v1", "Gateway", GATEWAY, spec=spec)


def http_route(values: Values) -> Object:
    """The endpoint's host to its Service; with incremental upgrades to KubeRay's own Gateway, which knows no hosts."""
    backend: dict[str, Any] = {"name": serve_service(values), "port": SERVE_PORT}
    if isinstance(values.upgrade, IncrementalUpgrade):
        backend = {"name": values.upgrade.service.format(name=values.name), "port": INNER_GATEWAY_PORT}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(INNER_HEADERS)}}],
        "timeouts": {"request": REQUEST_TIMEOUT, "backendRequest": REQUEST_TIMEOUT},
        "backendRefs": [backend],
    }
    spec = {
        "parentRefs": [{"name": GATEWAY, "sectionName": "https"}],
        "hostnames": [values.host],
        "rules": [rule],
    }
    return named(values, "gateway.networking.k8s.io/v1", "HTTPRoute", values.name, spec=spec)


def _to_https(values: Values) -> Object:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    spec = {
        "parentRefs": [{"name": GATEWAY, "sectionName": "http"}],
        "hostnames": [f"*.{values.domain}"],
        "rules": [{"filters": [redirect]}],
    }
    return named(values, "gateway.networking.k8s.io/v1", "HTTPRoute", "sightline-to-https", spec=spec)


def _ingress(values: Values, route: Ingress) -> Object:
    backend = {"service": {"name": serve_service(values), "port": {"number": SERVE_PORT}}}
    spec = {
        "ingressClassName": route.class_name,
        "tls": [{"hosts": [f"*.{values.domain}"], "secretName": f"{CERTIFICATE}-tls"}],
        "rules": [{"host": values.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
    }
    ingress = named(values, "networking.k8s.io/v1", "Ingress", values.name, spec=spec)
    if route.annotations:
        ingress["metadata"]["annotations"] = dict(route.annotations)
    return ingress
