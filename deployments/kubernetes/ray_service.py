"""The RayService: Serve's configuration, and the cluster that KubeRay makes for it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml

from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.objects import REDIS, REDIS_PORT, ROLE_LABEL, SERVE_PORT, Object, named, pods_of
from deployments.kubernetes.pods import (
    head_template,
    security_context,
    worker_start_parameters,
    worker_template,
)
from deployments.kubernetes.values import IncrementalUpgrade, Redis, Replicas, RocksDb, Values

RAY_VERSION = "2.60.0"


def serve_config(values: Values, shipped: Mapping[str, Any]) -> dict[str, Any]:
    """Serve's configuration of the endpoint: the shipped one, with what the values say otherwise.

    Args:
        values: of the endpoint.
        shipped: content of serve_config.yaml; its first application is the endpoint.

    Raises:
        ValuesError: the values name a deployment that it does not have.
    """
    config = deepcopy(dict(shipped))
    # Every pod takes requests, from outside itself; one machine listens on loopback alone.
    config["http_options"] = {**config.get("http_options", {}), "host": "0.0.0.0", "port": SERVE_PORT}  # noqa: S104
    application = config["applications"][0]
    application |= {
        "name": values.name,
        "route_prefix": "/",
        "args": {**(application.get("args") or {}), **values.args},
    }
    config["applications"] = [application]
    known = {deployment["name"]: deployment for deployment in application["deployments"]}
    for name, replicas in values.deployments.items():
        if name not in known:
            raise ValuesError(f"deployments.{name}: there is no such deployment; there are: {', '.join(known)}")
        _lay_over(known[name], replicas)
    return config


def _lay_over(deployment: dict[str, Any], replicas: Replicas) -> None:
    given = replicas.model_dump(exclude_none=True)
    growth = {key: given[key] for key in ("min_replicas", "max_replicas") if key in given}
    options = {key: given[key] for key in ("num_cpus", "num_gpus", "accelerator_type") if key in given}
    deployment["autoscaling_config"] = {**deployment.get("autoscaling_config", {}), **growth}
    deployment["ray_actor_options"] = {**deployment.get("ray_actor_options", {}), **options}


def ray_service(values: Values, shipped: Mapping[str, Any], environment: Mapping[str, str]) -> Object:
    """The RayService.

    Args:
        values: of the endpoint.
        shipped: content of serve_config.yaml.
        environment: what every process of the cluster must have.
    """
    spec: dict[str, Any] = {
        "serveConfigV2": yaml.safe_dump(serve_config(values, shipped), sort_keys=False, width=120),
        "excludeHeadPodFromServeSvc": not values.head.replicas_too,
        "rayClusterDeletionDelaySeconds": values.drain_s,
        "upgradeStrategy": _upgrade(values),
        "rayClusterConfig": _cluster(values, environment),
    }
    service = named(values, "ray.io/v1", "RayService", values.name, spec=spec)
    # KubeRay gives up a new cluster after this time; it must be longer than the slowest start.
    service["metadata"]["annotations"] = {"ray.io/initializing-timeout": f"{2 * values.startup_s}s"}
    return service


def _upgrade(values: Values) -> dict[str, Any]:
    how = values.upgrade
    if not isinstance(how, IncrementalUpgrade):
        return {"type": how.strategy}
    return {
        "type": how.strategy,
        "clusterUpgradeOptions": {
            "gatewayClassName": how.gateway_class,
            "stepSizePercent": how.step_percent,
            "intervalSeconds": how.interval_s,
            "maxSurgePercent": how.surge_percent,
        },
    }


def _cluster(values: Values, environment: Mapping[str, str]) -> dict[str, Any]:
    head_cpus = {} if values.head.replicas_too else {"num-cpus": "0"}
    cluster: dict[str, Any] = {
        "rayVersion": RAY_VERSION,
        "headGroupSpec": {
            "rayStartParams": {"dashboard-host": "0.0.0.0", **head_cpus},  # noqa: S104
            "template": head_template(values, environment),
        },
    }
    if values.worker_groups:
        cluster["enableInTreeAutoscaling"] = True
        # Version 2 replaces pods by itself and asks for restartPolicy Never, which KubeRay then sets.
        cluster["autoscalerOptions"] = {
            "version": "v2",
            "idleTimeoutSeconds": max(group.idle_timeout_s for group in values.worker_groups),
            "resources": _same({"cpu": "500m", "memory": "512Mi"}),
            "securityContext": security_context(),
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
        }
        cluster["workerGroupSpecs"] = [
            {
                "groupName": group.name,
                "replicas": group.min_pods,
                "minReplicas": group.min_pods,
                "maxReplicas": group.max_pods,
                "idleTimeoutSeconds": group.idle_timeout_s,
                "rayStartParams": worker_start_parameters(group),
                "template": worker_template(values, group, environment),
            }
            for group in values.worker_groups
        ]
    storage = _gcs_storage(values)
    if storage is not None:
        cluster["gcsFaultToleranceOptions"] = storage
    return cluster


def _same(resources: dict[str, str]) -> dict[str, Any]:
    return {"requests": resources, "limits": dict(resources)}


def _gcs_storage(values: Values) -> dict[str, Any] | None:
    gcs = values.gcs
    if isinstance(gcs, Redis):
        address = gcs.address or f"{REDIS}.{values.namespace}.svc:{REDIS_PORT}"
        password = {"valueFrom": {"secretKeyRef": {"name": gcs.secret, "key": "password"}}}
        return {"backend": "redis", "redisAddress": address, "redisPassword": password}
    if isinstance(gcs, RocksDb):
        storage = {"size": gcs.storage, "deletionPolicy": "DeleteWithCluster"}
        if gcs.storage_class is not None:
            storage["storageClassName"] = gcs.storage_class
        return {"backend": "rocksdb", "storage": storage}
    return None


def disruption_budget(values: Values) -> Object:
    """Machines are emptied one worker at a time."""
    spec = {"maxUnavailable": 1, "selector": pods_of(values, **{ROLE_LABEL: "worker"})}
    return named(values, "policy/v1", "PodDisruptionBudget", f"{values.name}-workers", spec=spec)
