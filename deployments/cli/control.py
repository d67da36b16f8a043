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
from deployments.errors import ServingError
from deployments.kubernetes.objects import CONTROL_PORT
from deployments.kubernetes.values import read_values
from deployments.settings import data_directory


def control(
    values: Annotated[Path, typer.Option(help="YAML of what all endpoints have in common, as `k8s render` takes it.")],
    host: Annotated[str, typer.Option(help="Address to answer on; all but loopback need keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port there.")] = CONTROL_PORT,
    database: Annotated[
        str | None, typer.Option(help="Where endpoints are kept; SIGHTLINE_DATABASE_URL, then a file, when not given.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Serve configuration; serve_config.yaml when not given.")] = None,
) -> None:
    """Make, change and remove endpoints on the Kubernetes that this process runs in, or that a kubeconfig leads to."""
    try:
        _control(values, host, port, database, config)
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(1) from error


def _control(values: Path, host: str, port: int, database: str | None, config: Path | None) -> None:
    try:
        from deployments.control.on_kubernetes.process import KubernetesOptions, run
    except ImportError as error:
        raise ControlError("Kubernetes' client is not installed; install sightline[kubernetes]") from error
    from deployments.control.access import OpenAccess
    from deployments.storage.database import open_database, sqlite_url

    if not _is_loopback(host):
        raise ControlError(f"--host {host}: without keys the control plane answers on loopback alone")
    given = read_values(values)
    options = KubernetesOptions(
        host=host,
        port=port,
        values=given,
        shipped=read_serve_config(config or default_config_path()),
        environment=cluster_environment("haproxy"),
        machine_types=checked_machine_types({"machine_types": given.control.machine_types}, str(values)),
    )
    url = database or sqlite_url(data_directory() / "servers" / "kubernetes.db")
    stored = open_database(url)
    run(options, stored, OpenAccess())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
