"""How `<name>.<domain>` leads to the endpoint: a wildcard certificate, and a Gateway or an Ingress that keeps Host."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from deployments.kubernetes.objects import (
    CONTROL_PORT,
    HOST_LABEL,
    MANAGER,
    MANAGER_LABEL,
    SERVE_PORT,
    Object,
    named,
    serve_service,
)
from deployments.kubernetes.values import Gateway, IncrementalUpgrade, Ingress, Issuer, Values

GATEWAY = "sightline"
CERTIFICATE = "sightline-wildcard"
INNER_GATEWAY_PORT = 80
MAX_HOST_NAME = 200
# Longer than the longest request that the ingress of an endpoint allows: it ends requests, the route does not.
REQUEST_TIMEOUT = "660s"
# Headers that mean something inside a cluster and may not come from outside. Source: deployments/edge/edge.cfg.
INNER_HEADERS = (
    "x-sightline-timeout-seconds",
    "serve_multiplexed_model_id",
    "serve-multiplexed-model-id",
    "forwarded",
)
# What the edge says of each request: Serve is not to read its body ahead, whole and without a bound.
SAID = {"x-request-disconnect-disabled": "?1"}


def route_objects(values: Values) -> list[Object]:
    """What is needed before the endpoint; nothing when its route is none."""
    route = values.route
    if isinstance(route, Gateway):
        return [_certificate(values, route.issuer), _gateway(values, route), http_route(values), _to_https(values)]
    if isinstance(route, Ingress):
        backend = {values.host: (serve_service(values.name), SERVE_PORT)}
        ingress = _ingress(values, route, values.name, backend, [f"*.{values.domain}"])
        return [_certificate(values, route.issuer), ingress]
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
    service, port = serve_service(values.name), SERVE_PORT
    if isinstance(values.upgrade, IncrementalUpgrade):
        service, port = values.upgrade.service.format(name=values.name), INNER_GATEWAY_PORT
    return named(
        values,
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        values.name,
        spec=_http_route_spec(["https"], [values.host], service, port),
    )


def route_of_host(values: Values, host: str, service: str, port: int) -> Object:
    """A host to a Service, by the kind of route that the values name; a mark says that the control plane made it."""
    name = f"host-{host}" if len(host) < MAX_HOST_NAME else f"host-{hashlib.sha256(host.encode()).hexdigest()}"
    below_domain = host.endswith(f".{values.domain}")
    if isinstance(values.route, Ingress):
        # Other domains have certificates of their own, which the controller finds by their hosts.
        hosts = [f"*.{values.domain}"] if below_domain else []
        item = _ingress(values, values.route, name, {host: (service, port)}, hosts)
    else:
        listeners = ["https"] if below_domain else []
        spec = _http_route_spec(listeners, [host], service, port)
        item = named(values, "gateway.networking.k8s.io/v1", "HTTPRoute", name, spec=spec)
    item["metadata"]["labels"] = {
        "app.kubernetes.io/part-of": "sightline",
        MANAGER_LABEL: MANAGER,
        HOST_LABEL: "endpoint",
    }
    return item


def control_routes(values: Values) -> list[Object]:
    """The control plane's own host, and all hosts of the domain that no other route takes."""
    hosts = [values.control_host, f"*.{values.domain}"]
    if isinstance(values.route, Gateway):
        spec = _http_route_spec(["https"], hosts, MANAGER, CONTROL_PORT)
        return [named(values, "gateway.networking.k8s.io/v1", "HTTPRoute", MANAGER, spec=spec)]
    if isinstance(values.route, Ingress):
        backends = dict.fromkeys(hosts, (MANAGER, CONTROL_PORT))
        return [_ingress(values, values.route, MANAGER, backends, [f"*.{values.domain}"])]
    return []


def _http_route_spec(listeners: list[str], hosts: list[str], service: str, port: int) -> dict[str, Any]:
    headers = {"set": [{"name": name, "value": value} for name, value in SAID.items()], "remove": list(INNER_HEADERS)}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": headers}],
        "timeouts": {"request": REQUEST_TIMEOUT, "backendRequest": REQUEST_TIMEOUT},
        "backendRefs": [{"name": service, "port": port}],
    }
    parents = [{"name": GATEWAY, "sectionName": listener} for listener in listeners] or [{"name": GATEWAY}]
    return {"parentRefs": parents, "hostnames": hosts, "rules": [rule]}


def _to_https(values: Values) -> Object:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    spec = {
        "parentRefs": [{"name": GATEWAY, "sectionName": "http"}],
        "hostnames": [f"*.{values.domain}"],
        "rules": [{"filters": [redirect]}],
    }
    return named(values, "gateway.networking.k8s.io/v1", "HTTPRoute", "sightline-to-https", spec=spec)


def _ingress(
    values: Values, route: Ingress, name: str, backends: Mapping[str, tuple[str, int]], secured: list[str]
) -> Object:
    rules = [
        {
            "host": host,
            "http": {
                "paths": [
                    {
                        "path": "/",
                        "pathType": "Prefix",
                        "backend": {"service": {"name": service, "port": {"number": port}}},
                    }
                ]
            },
        }
        for host, (service, port) in backends.items()
    ]
    tls = {"tls": [{"hosts": secured, "secretName": f"{CERTIFICATE}-tls"}]} if secured else {}
    spec = {"ingressClassName": route.class_name, **tls, "rules": rules}
    ingress = named(values, "networking.k8s.io/v1", "Ingress", name, spec=spec)
    if route.annotations:
        ingress["metadata"]["annotations"] = dict(route.annotations)
    return ingress
