"""The Serve application of an endpoint, as one entry of Serve's configuration."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from deployments.control.machine_types import MachineType
from deployments.control.platform import EndpointSpec

IMPORT_PATH = "deployments.app:build"
ROUTE_MARK = "/@"
"""Begins the paths of endpoints in Serve; the edge lets no client say it."""

_APPLICATION = re.compile(r"^(?P<name>[a-z0-9-]+)\.r(?P<revision>[0-9a-f]{8})$")
MODEL_DEPLOYMENTS = ("ObjectDetector", "TextReader")


def application_name(name: str, revision: str) -> str:
    """What the application of a revision is called; no subdomain has a dot, so it is nobody else's name."""
    return f"{name}.r{revision}"


def parts_of(application: str) -> tuple[str, str] | None:
    """Endpoint and revision of an application; None for one that is no endpoint."""
    match = _APPLICATION.match(application)
    return None if match is None else (match["name"], match["revision"])


def application_route(name: str, revision: str) -> str:
    """Its path in Serve."""
    return ROUTE_MARK + application_name(name, revision)


def asks_for_keys(application: Mapping[str, Any]) -> bool:
    """Whether requests to an application need keys."""
    return bool(((application.get("args") or {}).get("ingress") or {}).get("require_keys"))


def application_config(spec: EndpointSpec, template: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """The application of an endpoint.

    Args:
        spec: the endpoint.
        template: an application of Serve's configuration, for what an endpoint does not say: queue lengths, delays.
        args: of the application.
    """
    kind = spec.machine_type
    processes = [d for d in template["deployments"] if not (args.get("transforms_in_router") and _is_transforms(d))]
    policy = {"autoscaling_policy": template["autoscaling_policy"]} if "autoscaling_policy" in template else {}
    return {
        **policy,
        "name": application_name(spec.name, spec.revision),
        "route_prefix": application_route(spec.name, spec.revision),
        "import_path": template.get("import_path", IMPORT_PATH),
        "args": _owned(args, template, spec.workspace),
        "deployments": [_deployment(given, kind, spec, len(processes)) for given in processes],
    }


def _owned(args: Mapping[str, Any], template: Mapping[str, Any], workspace: str) -> dict[str, Any]:
    """Who is let in is as in the template, whatever was laid over it; keys are those of the owner."""
    if asks_for_keys(template):
        guard: dict[str, Any] = {"require_keys": True, "keys_workspace": workspace}
    elif ((template.get("args") or {}).get("ingress") or {}).get("grpc_from_this_machine"):
        guard = {"grpc_from_this_machine": True}
    else:
        return dict(args)
    return {**args, "ingress": {**(args.get("ingress") or {}), **guard}}


def _is_transforms(deployment: Mapping[str, Any]) -> bool:
    return bool(deployment["name"] == "TransformWorker")


def _deployment(given: Mapping[str, Any], kind: MachineType, spec: EndpointSpec, processes: int) -> dict[str, Any]:
    options: dict[str, Any] = {"num_cpus": math.floor(kind.num_cpus / processes * 1e4) / 1e4}
    if kind.num_gpus and given["name"] in MODEL_DEPLOYMENTS:
        options["num_gpus"] = kind.gpus_per_model_process
        if kind.accelerator_type is not None:
            options["accelerator_type"] = kind.accelerator_type
    if kind.memory_bytes:
        options["memory"] = kind.memory_bytes // processes
    if kind.labels:
        options["label_selector"] = dict(kind.labels)
    changed = {**deepcopy(dict(given)), "ray_actor_options": options}
    growth = changed.pop("autoscaling_config", None) or {}
    changed.pop("num_replicas", None)
    # Always as growth, though least and most may be the same: going from one kind to the other starts replicas anew.
    changed["autoscaling_config"] = {**growth, "min_replicas": spec.min_replicas, "max_replicas": spec.max_replicas}
    initial = changed["autoscaling_config"].get("initial_replicas")
    if initial is not None:
        changed["autoscaling_config"]["initial_replicas"] = min(max(initial, spec.min_replicas), spec.max_replicas)
    return changed
