"""`sightline k8s`: what Kubernetes is given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.ray_environment import cluster_environment
from deployments.cli.serve_config import check_serve_config, default_config_path, read_serve_config
from deployments.errors import ServingError
from deployments.kubernetes.kustomize_tree import tree
from deployments.kubernetes.ray_service import serve_config
from deployments.kubernetes.render import as_yaml, render
from deployments.kubernetes.values import read_values
from deployments.settings import ClusterArgs

app = typer.Typer(no_args_is_help=True, help="Manifests for Kubernetes.")


@app.command(name="render")
def render_manifests(
    values: Annotated[Path, typer.Option(help="YAML of one endpoint: see k8s/overlays/*/values.yaml.")],
    config: Annotated[Path | None, typer.Option(help="Serve configuration; serve_config.yaml when not given.")] = None,
) -> None:
    """Print everything for one endpoint, for `kubectl apply -f -`."""
    try:
        given = read_values(values)
        shipped = read_serve_config(config or default_config_path())
        objects = render(given, shipped, cluster_environment("haproxy"))
        check_serve_config(serve_config(given, shipped), ClusterArgs)
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(1) from error
    typer.echo(as_yaml(objects), nl=False)


@app.command(name="write-tree", hidden=True)
def write_tree(folder: Annotated[Path, typer.Argument(help="The folder k8s.")]) -> None:
    """Write the files of kustomize anew, from the values of the overlays."""
    files = tree(folder, read_serve_config(default_config_path()), cluster_environment("haproxy"))
    made = [path for part in ("base", "components", "overlays") for path in (folder / part).rglob("*.yaml")]
    for path in made:
        if path.name != "values.yaml":
            path.unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
