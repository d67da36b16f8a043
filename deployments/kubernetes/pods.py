"""The pods of a cluster: no root, nothing writable but what is named, and Ray's own needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deployments.kubernetes.objects import (
    AUTOSCALER_METRICS_PORT,
    CLIENT_PORT,
    DASHBOARD_METRICS_PORT,
    DASHBOARD_PORT,
    GCS_PORT,
    METRICS_PORT,
    ROLE_LABEL,
    SERVE_PORT,
    labels,
)
from deployments.kubernetes.values import ACCELERATORS, Values, WorkerGroup
from deployments.settings import DATABASE_VARIABLE

USER_ID = 10001
HOME = "/var/lib/sightline"
GPU_RESOURCE = "nvidia.com/gpu"
PRE_STOP_S = 15
"""Time until every proxy knows that a pod takes no more requests."""

# checkov's checks that are left out, and why; it reads them from the pods' annotations.
SKIPPED_CHECKS = (
    ("CKV_K8S_8", "KubeRay adds the liveness probe, which asks Ray's own health"),
    ("CKV_K8S_9", "KubeRay adds the readiness probe, which asks Serve's proxy too"),
    ("CKV_K8S_43", "tags are fixed by the operator of a registry; pin by digest there"),
    ("CKV_K8S_15", "tags are never moved, so IfNotPresent starts pods while the registry is away"),
    ("CKV2_K8S_6", "the NetworkPolicy selects by labels, which checkov does not follow from projected pods"),
)
HEAD_SKIPPED_CHECKS = (*SKIPPED_CHECKS, ("CKV_K8S_38", "Ray's autoscaler in this pod asks the API server for workers"))


def security_context(user_id: int = USER_ID) -> dict[str, Any]:
    """Of every container."""
    return {
        **_no_root(user_id),
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def pod_security_context(user_id: int = USER_ID) -> dict[str, Any]:
    """Of every pod."""
    return {**_no_root(user_id), "runAsGroup": user_id, "fsGroup": user_id}


def skips(checks: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Annotations that tell checkov which checks to leave out, and why."""
    return {f"checkov.io/skip{at}": f"{check}={why}" for at, (check, why) in enumerate(checks, 1)}


def pull_secrets(values: Values) -> dict[str, Any]:
    """Of every pod that runs the image; empty when anybody may pull it."""
    names = [{"name": name} for name in values.image.pull_secrets]
    return {"imagePullSecrets": names} if names else {}


def _no_root(user_id: int) -> dict[str, Any]:
    return {"runAsNonRoot": True, "runAsUser": user_id, "seccompProfile": {"type": "RuntimeDefault"}}


def _template(
    values: Values, role: str, container: dict[str, Any], skipped: tuple[tuple[str, str], ...], **spec: Any
) -> dict[str, Any]:
    return {
        "metadata": {
            "labels": {**labels(values), ROLE_LABEL: role},
            "annotations": skips(skipped),
        },
        "spec": {
            "securityContext": pod_security_context(),
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": values.drain_s + PRE_STOP_S,
            **pull_secrets(values),
            **spec,
            "containers": [container],
            "volumes": [
                {"name": "tmp", "emptyDir": {"sizeLimit": "8Gi"}},
                {"name": "home", "emptyDir": {"sizeLimit": "16Gi"}},
            ],
        },
    }


def _container(
    values: Values, name: str, cpu: str, memory: str, environment: Mapping[str, str], gpus: int = 0
) -> dict[str, Any]:
    resources = {"cpu": cpu, "memory": memory, **({GPU_RESOURCE: str(gpus)} if gpus else {})}
    # HOME takes fetched models and TensorRT's engines, /tmp Ray's sockets and logs: nothing else is written.
    own = {"HOME": HOME, "RAY_USAGE_STATS_ENABLED": "0", **environment}
    variables: list[dict[str, Any]] = [{"name": key, "value": text} for key, text in sorted(own.items())]
    if values.control.database_secret is not None:
        variables.append(database_variable(values.control.database_secret))
    return {
        "name": name,
        "image": values.image.reference,
        "imagePullPolicy": "IfNotPresent",
        "env": variables,
        "resources": {"requests": dict(resources), "limits": dict(resources)},
        "securityContext": security_context(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "home", "mountPath": HOME}],  # noqa: S108
    }


def database_variable(secret: str) -> dict[str, Any]:
    """Where keys are looked up: the URL holds a password, so it is in a Secret."""
    return {"name": DATABASE_VARIABLE, "valueFrom": {"secretKeyRef": {"name": secret, "key": "url"}}}


def head_template(values: Values, environment: Mapping[str, str]) -> dict[str, Any]:
    """The pod template of the head."""
    container = _container(values, "ray-head", values.head.cpu, values.head.memory, environment)
    ports = {
        "gcs": GCS_PORT,
        "dashboard": DASHBOARD_PORT,
        "client": CLIENT_PORT,
        "serve": SERVE_PORT,
        "metrics": METRICS_PORT,
        "as-metrics": AUTOSCALER_METRICS_PORT,
        "dash-metrics": DASHBOARD_METRICS_PORT,
    }
    container["ports"] = [{"name": name, "containerPort": port} for name, port in ports.items()]
    return _template(values, "head", container, HEAD_SKIPPED_CHECKS)


def worker_template(values: Values, group: WorkerGroup, environment: Mapping[str, str]) -> dict[str, Any]:
    """The pod template of a group of workers."""
    container = _container(values, "ray-worker", str(group.cpu), group.memory, environment, group.gpus)
    container["ports"] = [
        {"name": "serve", "containerPort": SERVE_PORT},
        {"name": "metrics", "containerPort": METRICS_PORT},
    ]
    container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", str(PRE_STOP_S)]}}}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {**labels(values), ROLE_LABEL: "worker"}},
    }
    placed: dict[str, Any] = {"automountServiceAccountToken": False, "topologySpreadConstraints": [spread]}
    selector = dict(group.node_selector)
    if group.gpus:
        if group.accelerator is not None:
            selector = selector or {"nvidia.com/gpu.product": ACCELERATORS[group.accelerator]}
        gpu_toleration = {"key": GPU_RESOURCE, "operator": "Exists", "effect": "NoSchedule"}
        placed["tolerations"] = [gpu_toleration, *group.tolerations]
    elif group.tolerations:
        placed["tolerations"] = list(group.tolerations)
    if selector:
        placed["nodeSelector"] = selector
    return _template(values, "worker", container, SKIPPED_CHECKS, serviceAccountName="sightline-worker", **placed)


def worker_start_parameters(group: WorkerGroup) -> dict[str, str]:
    """What `ray start` is told; the autoscaler learns from it which cards the pods would have."""
    if group.accelerator is None:
        return {}
    resources = json.dumps({f"accelerator_type:{group.accelerator}": 1})
    return {"resources": json.dumps(resources)}  # quoted once more: it goes through a shell
