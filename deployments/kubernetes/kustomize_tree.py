"""The folder of kustomize: a base, components, and overlays that patch them, all made from the overlays' values.

`make manifests` writes it; a test holds what is written against what would be.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployments.kubernetes.merge_patch import merge_patch
from deployments.kubernetes.objects import Object
from deployments.kubernetes.render import as_yaml, parts
from deployments.kubernetes.values import Control, Gateway, Ingress, Redis, Values, WorkerGroup, read_values

HEADER = "# Made by `make manifests` from overlays/*/values.yaml and serve_config.yaml: edit those.\n"
BASE = Values(worker_groups=(WorkerGroup(name="cpu", cpu=4, memory="8Gi"),), gcs=Redis(backend="redis"))
Key = tuple[str, str]


def tree(folder: Path, shipped: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Path below `folder` -> text, of every file that is made.

    Args:
        folder: has overlays/<name>/values.yaml.
        shipped: content of serve_config.yaml.
        environment: what every process of the cluster must have.
    """
    known = _all_parts(shipped, environment)
    files: dict[str, str] = {}
    for part, objects in known.items():
        where = "base" if part == "base" else f"components/{part}"
        files |= _kustomization(where, "Kustomization" if part == "base" else "Component", objects)
    for path in sorted(folder.glob("overlays/*/values.yaml")):
        values = read_values(path)
        files |= _overlay(f"overlays/{path.parent.name}", parts(values, shipped, environment), known)
    return {name: HEADER + text for name, text in files.items()}


def _all_parts(shipped: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, list[Object]]:
    routes = (Gateway(kind="gateway"), Ingress(kind="ingress"))
    found: dict[str, list[Object]] = {}
    for control, route in itertools.product((Control(), Control(enabled=True)), routes):
        values = BASE.model_copy(update={"route": route, "control": control})
        for part, objects in parts(values, shipped, environment).items():
            found.setdefault(part, objects)
    return found


def _kustomization(where: str, kind: str, objects: list[Object]) -> dict[str, str]:
    version = "v1beta1" if kind == "Kustomization" else "v1alpha1"
    names = [f"{item['kind'].lower()}-{item['metadata']['name']}.yaml" for item in objects]
    head = {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind, "resources": names}
    files = {f"{where}/kustomization.yaml": as_yaml([head])}
    return files | {f"{where}/{name}": as_yaml([item]) for name, item in zip(names, objects, strict=True)}


def _overlay(where: str, wanted: dict[str, list[Object]], known: dict[str, list[Object]]) -> dict[str, str]:
    patches: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for part, objects in wanted.items():
        for before, after in zip(known[part], objects, strict=True):
            patch = merge_patch(before, after)
            if patch:
                kind, name = before["kind"], before["metadata"]["name"]
                file = f"patch-{kind.lower()}-{name}.yaml"
                group = before["apiVersion"].partition("/")
                target = {"kind": kind, "name": name, **({"group": group[0]} if group[1] else {})}
                rename = patch.get("metadata", {}).pop("name", None)
                options = {"options": {"allowNameChange": True}} if rename else {}
                identity = {"apiVersion": before["apiVersion"], "kind": kind, "metadata": {"name": rename or name}}
                content = {**identity, **{key: value for key, value in patch.items() if key != "metadata"}}
                content["metadata"] = {**patch.get("metadata", {}), **identity["metadata"]}
                files[f"{where}/{file}"] = as_yaml([content])
                patches.append({"path": file, "target": target, **options})
    head: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../base"],
    }
    components = [f"../../components/{part}" for part in wanted if part != "base"]
    if components:
        head["components"] = components
    if patches:
        head["patches"] = patches
    return {f"{where}/kustomization.yaml": as_yaml([head]), **files}
