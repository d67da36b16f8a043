"""What the repository has for Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deployments.cli.ray_environment import cluster_environment
from deployments.cli.serve_config import read_serve_config
from deployments.kubernetes.render import render
from deployments.kubernetes.values import Values, read_values

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "k8s"
OVERLAYS = sorted(path.parent.name for path in FOLDER.glob("overlays/*/values.yaml"))
SHIPPED = read_serve_config(ROOT / "serve_config.yaml")
ENVIRONMENT = cluster_environment("haproxy")


def overlay_values(name: str) -> Values:
    return read_values(FOLDER / "overlays" / name / "values.yaml")


def rendered(values: Values) -> dict[tuple[str, str], dict[str, Any]]:
    objects = render(values, SHIPPED, ENVIRONMENT)
    return {(item["kind"], item["metadata"]["name"]): item for item in objects}
