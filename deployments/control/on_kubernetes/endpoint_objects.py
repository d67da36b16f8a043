"""What Kubernetes is given for one revision of an endpoint: a RayService and what guards it, as in the manifests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from deployments.control.machine_types import MachineType
from deployments.control.platform import EndpointSpec
from deployments.control.serve_application import application_config
from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.lint import problems
from deployments.kubernetes.network import network_policy
from deployments.kubernetes.objects import (
    MANAGER,
    MANAGER_LABEL,
    REVISION_LABEL,
    SUBDOMAIN_LABEL,
    Object,
    annotation,
)
from deployments.kubernetes.ray_service import disruption_budget, ray_service
from deployments.kubernetes.values import ACCELERATORS, NewCluster, Values, WorkerGroup

REPLICAS_ANNOTATION = "sightline/replicas"
"""Least and most replicas, as `1-4`."""

RUN_ANNOTATION = "sightline/run"
"""How often it was told to run: what was said in an earlier run is not true of this one."""

CONTENT_ANNOTATION = "sightline/content"
"""Of what an object was made, as a digest: what the API server adds to it is no difference."""

ANY_CARD = {"nvidia.com/gpu.present": "true"}
"""Label that NVIDIA's feature discovery gives each machine with a card."""

RAY_ITSELF_BYTES = 1024**3
MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EndpointObjects:
    """One revision of an endpoint.

    Attributes:
        ray_service: its cluster.
        policy: who may talk to its pods.
        budget: how many of its pods may be taken away at once.
    """

    ray_service: Object
    policy: Object
    budget: Object


def ray_service_name(name: str, revision: str) -> str:
    """What the RayService of a revision is called: a subdomain has 5 to 20 signs, which leaves room for KubeRay's."""
    return f"{name}-r{revision}"


def parts_of(item: Object) -> tuple[str, str] | None:
    """Endpoint and revision of an object; None for one that the control plane did not make."""
    labels = item["metadata"].get("labels") or {}
    if labels.get(MANAGER_LABEL) != MANAGER or SUBDOMAIN_LABEL not in labels or REVISION_LABEL not in labels:
        return None
    return labels[SUBDOMAIN_LABEL], labels[REVISION_LABEL]


def endpoint_objects(
    spec: EndpointSpec, platform: Values, shipped: Mapping[str, Any], environment: Mapping[str, str]
) -> EndpointObjects:
    """The objects of a revision.

    Args:
        spec: the endpoint.
        platform: values of what all endpoints have in common: image, head, domain, GCS.
        shipped: content of serve_config.yaml; its first application is the model of all endpoints.
        environment: what every process of the cluster must have.

    Raises:
        ValuesError: it could never run; says why.
    """
    values = _values(spec, platform)
    objects = EndpointObjects(
        ray_service=ray_service(values, _serve_config(spec, platform, shipped), environment),
        policy=network_policy(values),
        budget=disruption_budget(values),
    )
    wrong = problems([objects.ray_service, objects.policy, objects.budget], values)
    if wrong:
        raise ValuesError("; ".join(wrong))
    cluster = objects.ray_service["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        group["template"]["metadata"]["labels"] |= _labels(spec)
    objects.ray_service["spec"]["suspend"] = False
    objects.ray_service["metadata"]["annotations"][REPLICAS_ANNOTATION] = f"{spec.min_replicas}-{spec.max_replicas}"
    for item in (objects.ray_service, objects.policy, objects.budget):
        _mark(item, spec)
        item["metadata"].setdefault("annotations", {})[CONTENT_ANNOTATION] = digest(item)
    return objects


def digest(item: Object) -> str:
    """Names what an object is made of."""
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:16]


def content_of(item: Object) -> str | None:
    """The digest on an object; None on one that is not complete."""
    return annotation(item, CONTENT_ANNOTATION)


def _labels(spec: EndpointSpec) -> dict[str, str]:
    return {SUBDOMAIN_LABEL: spec.name, REVISION_LABEL: spec.revision, MANAGER_LABEL: MANAGER}


def _mark(item: Object, spec: EndpointSpec) -> None:
    item["metadata"]["labels"] = {**item["metadata"]["labels"], **_labels(spec)}


def _values(spec: EndpointSpec, platform: Values) -> Values:
    return platform.model_copy(
        update={
            "name": ray_service_name(spec.name, spec.revision),
            "args": {},  # they are in Serve's configuration already
            "deployments": {},
            "head": platform.head.model_copy(update={"replicas_too": False}),
            "worker_groups": (_worker_group(spec, platform),),
            "upgrade": NewCluster(strategy="NewCluster"),
        }
    )


def _worker_group(spec: EndpointSpec, platform: Values) -> WorkerGroup:
    kind = spec.machine_type
    if kind.accelerator_type is not None and kind.accelerator_type not in ACCELERATORS and not kind.labels:
        known = ", ".join(ACCELERATORS)
        raise ValuesError(
            f"machine type {kind.name} asks for the card {kind.accelerator_type}; known are {known}: give it the "
            "`labels` of machines that have it"
        )
    together = replicas_of_a_pod(kind)
    selector = dict(kind.labels)
    if kind.num_gpus and kind.accelerator_type not in ACCELERATORS:
        selector = selector or dict(ANY_CARD)
    memory_bytes = together * kind.memory_bytes + RAY_ITSELF_BYTES
    return WorkerGroup(
        name="replicas",
        cpu=max(1, math.ceil(together * kind.num_cpus)),
        memory=f"{math.ceil(memory_bytes / MEBIBYTE)}Mi" if kind.memory_bytes else platform.control.pod_memory,
        min_pods=math.ceil(spec.min_replicas / together),
        max_pods=math.ceil(spec.max_replicas / together),
        accelerator=cast("Any", kind.accelerator_type if kind.accelerator_type in ACCELERATORS else None),
        gpus=math.ceil(together * kind.num_gpus),
        node_selector=selector,
    )


def replicas_of_a_pod(kind: MachineType) -> int:
    """Replicas that share the card of one pod; those that have no card, or whole ones, share no pod."""
    return int(1 / kind.num_gpus) if 0 < kind.num_gpus < 1 else 1


def _serve_config(spec: EndpointSpec, platform: Values, shipped: Mapping[str, Any]) -> dict[str, Any]:
    template = {**shipped["applications"][0]}
    template["args"] = {**(template.get("args") or {}), **platform.args}
    if platform.control.database_secret is not None:
        template["args"]["ingress"] = {**template["args"].get("ingress", {}), "require_keys": True}
    args = {**template["args"], **spec.machine_type.args, **spec.args}
    if spec.machine_type.transforms_in_router:
        args["transforms_in_router"] = True
    # Which machines is said to Kubernetes: Ray's labels are others, and it knows only the cards that groups announce.
    card = spec.machine_type.accelerator_type
    placed: dict[str, Any] = {"labels": {}, "accelerator_type": card if card in ACCELERATORS else None}
    endpoint = replace(spec, machine_type=spec.machine_type.model_copy(update=placed))
    return {**shipped, "applications": [application_config(endpoint, template, args)]}
