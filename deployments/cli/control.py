"""`sightline control`: the control plane of a cluster of Kubernetes."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.ray_environment import cluster_environment
from deployments.cli.serve_config import default_config_path, read_serve_config
from deployments.control.errors import ControlError
from deployments.control.machine_types import checked_machine_types
from deployments.edge.config import LOOPBACK
from deployments.errors import ServingError
from deployments.kubernetes.objects import CONTROL_PORT
from deployments.kubernetes.values import Values, read_values


def control(
    values: Annotated[Path, typer.Option(help="YAML of what all endpoints have in common, as `k8s render` takes it.")],
    keys: Annotated[str, typer.Option(help="`on` asks every request for an API key; `off` asks none.")] = "off",
    host: Annotated[str, typer.Option(help="Address to answer on; another one than loopback needs `--keys on`.")] = (
        LOOPBACK
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port there.")] = CONTROL_PORT,
    database: Annotated[
        str | None, typer.Option(help="Where endpoints are kept; SIGHTLINE_DATABASE_URL, then a file, when not given.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Serve configuration; serve_config.yaml when not given.")] = None,
) -> None:
    """Make, change and remove endpoints on the Kubernetes that this process runs in, or that a kubeconfig leads to."""
    if keys not in ("on", "off"):
        raise typer.BadParameter(f"{keys!r} is neither on nor off", param_hint="--keys")
    try:
        if keys == "off" and not _is_loopback(host):
            raise ControlError(f"--host {host}: others reach this address, so keys are needed: add --keys on")
        _control(read_values(values), str(values), keys == "on", host, port, database, config)
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(1) from error


def _control(
    values: Values, source: str, require_keys: bool, host: str, port: int, database: str | None, config: Path | None
) -> None:
    try:
        from deployments.control.on_kubernetes.process import KubernetesOptions, run
    except ImportError as error:
        raise ControlError("Kubernetes' client is not installed; install sightline[kubernetes]") from error
    from deployments.cli.key_database import database_url_of
    from deployments.control.access import KeyAccess, OpenAccess
    from deployments.storage.database import open_database

    options = KubernetesOptions(
        host=host,
        port=port,
        values=values,
        shipped=read_serve_config(config or default_config_path()),
        environment=cluster_environment("haproxy"),
        machine_types=checked_machine_types({"machine_types": values.control.machine_types}, source),
    )
    stored = open_database(database_url_of(port, database))
    run(options, stored, KeyAccess(stored) if require_keys else OpenAccess())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        raise typer.BadParameter(f"{host!r} is no IP address; 0.0.0.0 is all of them", param_hint="--host") from None
