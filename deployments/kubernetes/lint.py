"""What no schema sees: whether the objects fit one another, and whether the cluster could hold what it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

from deployments.kubernetes.objects import MANAGER, MANAGER_LABEL, Object, head_service, serve_service
from deployments.kubernetes.pods import GPU_RESOURCE
from deployments.kubernetes.values import Values

# KubeRay's own liveness probe: 30 s, then 120 failures 5 s apart. Source: KubeRay 1.7 constant.go.
LIVENESS_S = 30 + 120 * 5
ACCELERATOR = "accelerator_type:"
HAVE_SELECTORS = ("PodDisruptionBudget", "PodMonitor", "StatefulSet", "Deployment")


def problems(objects: Sequence[Object], values: Values) -> list[str]:
    """One line for each thing that would not work; empty when all is well."""
    return [
        line
        for item in objects
        if item["kind"] == "RayService"
        for line in (*_times(item, values), *_gpu_pins(item), *_room(item), *_serve_port(item))
    ] + [*_selectors(objects), *_backends(objects, values)]


def _times(service: Object, values: Values) -> Iterator[str]:
    if values.startup_s > LIVENESS_S:
        yield f"startup_s is {values.startup_s}: KubeRay's liveness probe ends a pod after {LIVENESS_S} s"
    given_up_s = int(service["metadata"]["annotations"]["ray.io/initializing-timeout"].removesuffix("s"))
    if given_up_s < values.startup_s:
        yield f"ray.io/initializing-timeout is {given_up_s} s, shorter than a start of {values.startup_s} s"
    config = _serve_config(service["spec"]["serveConfigV2"])
    for group, template in _templates(service):
        grace_s = template["spec"]["terminationGracePeriodSeconds"]
        for deployment in _deployments(config):
            loop_s = deployment.get("graceful_shutdown_timeout_s") or 20.0
            if grace_s < loop_s:
                yield f"{group}: a pod has {grace_s} s to end, replicas of {deployment['name']} take up to {loop_s:g} s"


def _gpu_pins(service: Object) -> Iterator[str]:
    for group, template in _templates(service):
        spec = template["spec"]
        gpus = _gpus(template)
        if gpus and not spec.get("nodeSelector"):
            yield f"{group}: pods with a card need a nodeSelector that says which"
        if gpus and not any(toleration.get("key") == GPU_RESOURCE for toleration in spec.get("tolerations", ())):
            yield f"{group}: pods with a card need to tolerate {GPU_RESOURCE}"


def _room(service: Object) -> Iterator[str]:
    machines = [(name, resources, most) for name, resources, _, most in _machines(service)]
    config = _serve_config(service["spec"]["serveConfigV2"])
    least: list[dict[str, float]] = []
    for deployment in _deployments(config):
        wanted = _wanted(deployment.get("ray_actor_options") or {})
        if not any(_fits(wanted, resources) for _, resources, _ in machines):
            offers = "; ".join(f"{name}: {_said(resources)}" for name, resources, _ in machines)
            yield f"{deployment['name']} asks for {_said(wanted)} and no pod has it; {offers}"
        growth = deployment.get("autoscaling_config") or {}
        fewest = growth.get("min_replicas", deployment.get("num_replicas", 1))
        least += [wanted] * (fewest if isinstance(fewest, int) else 1)
    for resource in ("CPU", "GPU"):
        asked = sum(wanted.get(resource, 0.0) for wanted in least)
        there = sum(resources.get(resource, 0.0) * most for _, resources, most in machines)
        if asked > there:
            yield f"the fewest replicas together ask for {asked:g} {resource}, all pods together have {there:g}"


def _serve_port(service: Object) -> Iterator[str]:
    config = _serve_config(service["spec"]["serveConfigV2"])
    port = (config.get("http_options") or {}).get("port")
    for group, template in _templates(service):
        named = {each["name"]: each["containerPort"] for each in template["spec"]["containers"][0].get("ports", ())}
        if named.get("serve") != port:
            yield f"{group}: its port `serve` is {named.get('serve')}, Serve listens on {port}"
        numbers = list(named.values())
        if len(set(numbers)) < len(numbers):
            yield f"{group}: two ports have the same number: {numbers}"


def _selectors(objects: Sequence[Object]) -> Iterator[str]:
    """Each selector finds pods of ours."""
    pods = [template["metadata"]["labels"] for item in objects for _, template in _templates(item)]
    for item in objects:
        spec = item.get("spec") or {}
        selector = spec.get("selector") if item["kind"] in HAVE_SELECTORS else None
        if item["kind"] == "NetworkPolicy":
            selector = spec["podSelector"]
        if item["kind"] == "Service":
            selector = {"matchLabels": spec["selector"]}
        if selector is not None:
            wanted = selector["matchLabels"].items()
            workerless = item["kind"] == "PodDisruptionBudget" and not _has_workers(objects)
            later = wanted <= {MANAGER_LABEL: MANAGER}.items()  # pods that the control plane makes
            if not workerless and not later and not any(wanted <= found.items() for found in pods):
                yield f"{item['kind']} {item['metadata']['name']}: no pod has the labels {dict(wanted)}"


def _has_workers(objects: Iterable[Object]) -> bool:
    return any(name != "head" for item in objects if item["kind"] == "RayService" for name, _ in _templates(item))


def _backends(objects: Sequence[Object], values: Values) -> Iterator[str]:
    """Each route leads to a Service that there will be, through a Gateway listener that there is."""
    services = {serve_service(values.name), head_service(values.name)}
    if values.upgrade.strategy == "NewClusterWithIncrementalUpgrade":
        services = {values.upgrade.service.format(name=values.name)}
    services |= {item["metadata"]["name"] for item in objects if item["kind"] == "Service"}
    gateways = {item["metadata"]["name"]: item["spec"]["listeners"] for item in objects if item["kind"] == "Gateway"}
    for item in objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        if item["kind"] == "HTTPRoute":
            for parent in item["spec"]["parentRefs"]:
                listeners = {each["name"]: each["hostname"] for each in gateways.get(parent["name"], ())}
                wildcard = listeners.get(parent.get("sectionName"), "")
                for host in item["spec"]["hostnames"]:
                    if not wildcard or (host != wildcard and host.partition(".")[2] != wildcard.removeprefix("*.")):
                        yield f"{name}: no listener of {parent['name']} takes {host}"
            for backend in (each for rule in item["spec"]["rules"] for each in rule.get("backendRefs", ())):
                if backend["name"] not in services:
                    yield f"{name}: there is no Service {backend['name']}"
        if item["kind"] == "Ingress":
            for rule in item["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    if path["backend"]["service"]["name"] not in services:
                        yield f"{name}: there is no Service {path['backend']['service']['name']}"


@lru_cache(maxsize=16)
def _serve_config(text: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return config


def _templates(item: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    if item["kind"] in ("StatefulSet", "Deployment"):
        yield item["metadata"]["name"], item["spec"]["template"]
    if item["kind"] == "RayService":
        cluster = item["spec"]["rayClusterConfig"]
        yield "head", cluster["headGroupSpec"]["template"]
        for group in cluster.get("workerGroupSpecs", ()):
            yield group["groupName"], group["template"]


def _machines(service: Object) -> Iterator[tuple[str, dict[str, float], int, int]]:
    """Group, resources of one pod under Ray's names, fewest and most pods."""
    cluster = service["spec"]["rayClusterConfig"]
    head = cluster["headGroupSpec"]
    if head["rayStartParams"].get("num-cpus") != "0":
        limits = head["template"]["spec"]["containers"][0]["resources"]["limits"]
        yield "head", {"CPU": _cpus(limits["cpu"])}, 1, 1
    for group in cluster.get("workerGroupSpecs", ()):
        resources = {"CPU": _cpus(group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])}
        gpus = _gpus(group["template"])
        if gpus:
            resources["GPU"] = float(gpus)
        told = group["rayStartParams"].get("resources")
        resources |= json.loads(json.loads(told)) if told else {}
        yield group["groupName"], resources, group["minReplicas"], group["maxReplicas"]


def _cpus(quantity: str) -> float:
    return float(quantity.removesuffix("m")) / 1000 if quantity.endswith("m") else float(quantity)


def _gpus(template: Mapping[str, Any]) -> int:
    limits = template["spec"]["containers"][0].get("resources", {}).get("limits", {})
    return int(limits.get(GPU_RESOURCE, 0))


def _deployments(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for application in config["applications"]:
        yield from application.get("deployments") or ()


def _wanted(options: Mapping[str, Any]) -> dict[str, float]:
    wanted = {"CPU": float(options.get("num_cpus", 1.0)), "GPU": float(options.get("num_gpus") or 0.0)}
    if options.get("accelerator_type"):
        wanted[ACCELERATOR + options["accelerator_type"]] = 0.001  # as much as Ray asks for
    return {name: amount for name, amount in wanted.items() if amount}


def _fits(wanted: Mapping[str, float], resources: Mapping[str, float]) -> bool:
    return all(resources.get(name, 0.0) >= amount for name, amount in wanted.items())


def _said(resources: Mapping[str, float]) -> str:
    return ", ".join(
        f"accelerator {name.removeprefix(ACCELERATOR)}" if name.startswith(ACCELERATOR) else f"{amount:g} {name}"
        for name, amount in resources.items()
    )
