"""What the process of the control plane is told."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from deployments.edge.config import EdgeConfig


class ControlOptions(BaseModel):
    """What the control plane of one machine must know.

    Attributes:
        port: where it answers, on loopback.
        ray_address: of the Ray whose Serve runs endpoints.
        database_url: where endpoints are kept.
        require_keys: whether every call needs a key.
        edge: as it was started.
        edge_dir: its files.
        log_root: below which revisions of endpoints have folders of logs.
        machine_types: an operator's file; None for the built-in ones alone.
        start_timeout_s: how long an endpoint may take to become ready.
    """

    model_config = ConfigDict(extra="forbid")

    port: int
    ray_address: str
    database_url: str
    require_keys: bool = False
    edge: EdgeConfig
    edge_dir: Path
    log_root: Path | None = None
    machine_types: Path | None = None
    start_timeout_s: float = 600.0
