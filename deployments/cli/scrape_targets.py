"""The file in which a Prometheus on this machine finds a server's metrics, in the form of `file_sd_configs`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from deployments.edge.config import LOOPBACK


def write_targets(path: Path, *, server: str, ports: Iterable[int]) -> None:
    """Write where to look; in one step, since Prometheus watches the file.

    Args:
        path: ends with `.json`, as Prometheus asks.
        server: label of all series; on Kubernetes it is the name of the RayService.
        ports: on loopback, each with its metrics at `/metrics`.
    """
    targets = [f"{LOOPBACK}:{port}" for port in ports]
    before = path.with_suffix(".new")
    before.write_text(json.dumps([{"targets": targets, "labels": {"server": server, "role": "head"}}], indent=2) + "\n")
    before.replace(path)
