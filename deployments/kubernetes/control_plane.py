"""The control plane on Kubernetes: one pod, what it may do, and who may talk to it."""

from __future__ import annotations

from typing import Any

import yaml

from deployments.kubernetes.network import POSTGRESQL_PORT, endpoint_sources, name_service, ports
from deployments.kubernetes.objects import (
    CONTROL_PODS,
    CONTROL_PORT,
    DASHBOARD_PORT,
    MANAGER,
    MANAGER_LABEL,
    SERVE_PORT,
    Object,
    named,
)
from deployments.kubernetes.pods import (
    HOME,
    SKIPPED_CHECKS,
    database_variable,
    pod_security_context,
    pull_secrets,
    security_context,
    skips,
)
from deployments.kubernetes.values import Ingress, Values
from deployments.settings import DATABASE_VARIABLE

VALUES_FOLDER = "/etc/sightline"
SQLITE_URL = f"sqlite:///{HOME}/control.db"
API_SERVER_PORTS = (443, 6443)
PROBE = {"httpGet": {"path": "/-/alive", "port": "http"}, "timeoutSeconds": 3}
SKIPPED = (
    *(skipped for skipped in SKIPPED_CHECKS if skipped[0] in ("CKV_K8S_43", "CKV_K8S_15")),
    ("CKV_K8S_38", "it asks the API server for endpoints"),
    ("CKV_K8S_35", "the URL of the database is read from one variable, in one place"),
    ("CKV2_K8S_6", "the NetworkPolicy of its own selects it by its name"),
)


def control_objects(values: Values) -> list[Object]:
    """What the control plane is, the routes to it and its volume aside."""
    return [
        named(values, "v1", "ServiceAccount", MANAGER, automountServiceAccountToken=False),
        named(values, "rbac.authorization.k8s.io/v1", "Role", MANAGER, rules=rules(values)),
        _role_binding(values),
        _config(values),
        named(
            values,
            "v1",
            "Service",
            MANAGER,
            spec={
                "selector": CONTROL_PODS["matchLabels"],
                "ports": [{"name": "http", "port": CONTROL_PORT, "targetPort": "http"}],
            },
        ),
        _policy(values),
        _deployment(values),
    ]


def sqlite_objects(values: Values) -> list[Object]:
    """The volume of a database of its own."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": values.control.storage}}}
    return [named(values, "v1", "PersistentVolumeClaim", MANAGER, spec=spec)]


def rules(values: Values) -> list[dict[str, Any]]:
    """Exactly what the control plane does, in its own namespace."""
    everything = ["get", "list", "watch", "create", "patch", "delete"]
    routes = (
        ("networking.k8s.io", "ingresses")
        if isinstance(values.route, Ingress)
        else ("gateway.networking.k8s.io", "httproutes")
    )
    return [
        _rule("ray.io", "rayservices", everything),
        _rule(*routes, everything),
        _rule("networking.k8s.io", "networkpolicies", ["get", "create", "patch"]),
        _rule("policy", "poddisruptionbudgets", ["get", "create", "patch"]),
        _rule("", "pods", ["list", "watch"]),
        _rule("", "events", ["list", "watch"]),
    ]


def _rule(group: str, resource: str, verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def _role_binding(values: Values) -> Object:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": MANAGER}
    account = {"kind": "ServiceAccount", "name": MANAGER, "namespace": values.namespace}
    return named(values, "rbac.authorization.k8s.io/v1", "RoleBinding", MANAGER, roleRef=role, subjects=[account])


def _config(values: Values) -> Object:
    text = yaml.safe_dump(values.model_dump(mode="json", exclude_unset=True), sort_keys=False, width=120)
    return named(values, "v1", "ConfigMap", MANAGER, data={"values.yaml": text})


def _policy(values: Values) -> Object:
    own_endpoints = {"podSelector": {"matchLabels": {MANAGER_LABEL: MANAGER}}}
    targets: list[dict[str, Any]] = [
        name_service(),
        {"to": [own_endpoints], "ports": ports(SERVE_PORT, DASHBOARD_PORT)},
        {"ports": ports(*API_SERVER_PORTS)},
    ]
    if values.control.database_secret is not None:
        targets.append({"ports": ports(POSTGRESQL_PORT)})
    spec = {
        "podSelector": CONTROL_PODS,
        "policyTypes": ["Ingress", "Egress"],
        "ingress": endpoint_sources(values, CONTROL_PORT),
        "egress": targets,
    }
    return named(values, "networking.k8s.io/v1", "NetworkPolicy", MANAGER, spec=spec)


def _deployment(values: Values) -> Object:
    control = values.control
    command = ["sightline", "control", "--values", f"{VALUES_FOLDER}/values.yaml", "--keys", "on", "--host", "0.0.0.0"]  # noqa: S104
    database: dict[str, Any] = {"name": DATABASE_VARIABLE, "value": SQLITE_URL}
    home: dict[str, Any] = {"name": "home", "persistentVolumeClaim": {"claimName": MANAGER}}
    if control.database_secret is not None:
        database = database_variable(control.database_secret)
        home = {"name": "home", "emptyDir": {"sizeLimit": "1Gi"}}
    container = {
        "name": "control",
        "image": values.image.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": [{"name": "HOME", "value": HOME}, database],
        "ports": [{"name": "http", "containerPort": CONTROL_PORT}],
        "startupProbe": {**PROBE, "periodSeconds": 2, "failureThreshold": 30},
        "readinessProbe": {**PROBE, "periodSeconds": 5},
        "livenessProbe": {**PROBE, "periodSeconds": 10, "failureThreshold": 6},
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": security_context(),
        "volumeMounts": [
            {"name": "values", "mountPath": VALUES_FOLDER, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            {"name": "home", "mountPath": HOME},
        ],
    }
    pod = {
        "serviceAccountName": MANAGER,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "securityContext": pod_security_context(),
        **pull_secrets(values),
        "containers": [container],
        "volumes": [
            {"name": "values", "configMap": {"name": MANAGER}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            home,
        ],
    }
    spec = {
        "replicas": 1,
        # Two of them would undo each other's work: the next starts when the last has ended.
        "strategy": {"type": "Recreate"},
        "selector": CONTROL_PODS,
        "template": {
            "metadata": {"labels": {**CONTROL_PODS["matchLabels"], "app.kubernetes.io/part-of": "sightline"}},
            "spec": pod,
        },
    }
    deployment = named(values, "apps/v1", "Deployment", MANAGER, spec=spec)
    deployment["metadata"]["annotations"] = skips(SKIPPED)
    return deployment
