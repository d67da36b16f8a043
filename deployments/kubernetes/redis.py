"""The Redis that remembers what a head knows, so that another one can go on."""

from __future__ import annotations

from typing import Any

from deployments.kubernetes.objects import MANAGER, MANAGER_LABEL, REDIS, REDIS_PORT, ROLE_LABEL, Object, named, pods_of
from deployments.kubernetes.pods import PRE_STOP_S, pod_security_context, security_context, skips
from deployments.kubernetes.values import Redis, Values

IMAGE = "docker.io/library/redis:7.2.4-bookworm"
USER_ID = 999
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""Every write is on the disk before it is confirmed: what the head was told must outlive the pod."""
SKIPPED_CHECKS = (
    ("CKV_K8S_15", "a fixed version: IfNotPresent starts it while the registry is away"),
    ("CKV_K8S_40", "999 is the user of the image, whose files are its own"),
    ("CKV_K8S_43", "a fixed version; pin by digest in a registry of one's own"),
    ("CKV_K8S_35", "redis-server reads its password from a variable of the start script alone"),
)


def redis_objects(values: Values, gcs: Redis) -> list[Object]:
    """StatefulSet, Service and NetworkPolicy; the Secret is the operator's to make."""
    selector = {"app.kubernetes.io/name": REDIS}
    service = named(
        values, "v1", "Service", REDIS, spec={"selector": selector, "ports": [{"name": "redis", "port": REDIS_PORT}]}
    )
    clients = [{"podSelector": pods_of(values)}]
    if values.control.enabled:
        made = {"matchLabels": {MANAGER_LABEL: MANAGER, ROLE_LABEL: "head"}}
        clients.append({"podSelector": made})
    sources = [{"from": clients, "ports": [{"port": REDIS_PORT, "protocol": "TCP"}]}]
    policy = named(
        values,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        REDIS,
        spec={"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress", "Egress"], "ingress": sources},
    )
    return [_stateful_set(values, gcs, selector), service, policy]


def _stateful_set(values: Values, gcs: Redis, selector: dict[str, str]) -> Object:
    ping = {"exec": {"command": ["sh", "-c", 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -q PONG']}}
    command = f'exec redis-server --dir /data {" ".join(DURABLE)} --requirepass "$REDIS_PASSWORD"'
    container: dict[str, Any] = {
        "name": "redis",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c"],
        "args": [command],
        "env": [
            {"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": gcs.secret, "key": "password"}}},
        ],
        "ports": [{"name": "redis", "containerPort": REDIS_PORT}],
        "readinessProbe": {**ping, "periodSeconds": 5, "timeoutSeconds": 3},
        "livenessProbe": {**ping, "initialDelaySeconds": 30, "periodSeconds": 10, "timeoutSeconds": 3},
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"cpu": "500m", "memory": "512Mi"},
        },
        "securityContext": security_context(USER_ID),
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    template = {
        "metadata": {
            "labels": {**selector, "app.kubernetes.io/part-of": "sightline"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": pod_security_context(USER_ID),
            "terminationGracePeriodSeconds": 2 * PRE_STOP_S,
            "containers": [container],
        },
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": gcs.storage}}},
    }
    spec = {
        "serviceName": REDIS,
        "replicas": 1,
        "selector": {"matchLabels": selector},
        "template": template,
        "volumeClaimTemplates": [claim],
    }
    stateful_set = named(values, "apps/v1", "StatefulSet", REDIS, spec=spec)
    stateful_set["metadata"]["annotations"] = skips(SKIPPED_CHECKS)
    return stateful_set
