"""`sightline models compile`: the TensorRT engine of a model, built before anybody waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.known_models import known_package
from deployments.errors import ServingError

PRECISIONS = ("fp32", "fp16", "int8")


def compile_model(
    model_id: Annotated[str, typer.Argument(help="An id as `list` prints it.")],
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8, as the server's engine settings.")] = "fp16",
    max_batch: Annotated[int, typer.Option(min=1, help="Largest batch; tensorrt_max_batch of the server.")] = 16,
    device_id: Annotated[int, typer.Option(min=0, help="Which of the visible GPUs.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="Folder for engines; tensorrt_cache_dir of the server.")] = None,
) -> None:
    """Build the TensorRT engine of a model for this GPU, so that servers with the same settings start with it."""
    if precision not in PRECISIONS:
        raise typer.BadParameter(f"{precision!r} is none of {', '.join(PRECISIONS)}", param_hint="--precision")
    from deployments.models.engines.compiling import compile_engine
    from deployments.settings import EngineSettings

    values = {
        "device": "cuda",
        "device_id": device_id,
        "tensorrt": True,
        "precision": precision,
        "tensorrt_max_batch": max_batch,
    }
    settings = EngineSettings.model_validate(values if cache is None else values | {"tensorrt_cache_dir": cache})
    try:
        compiled = compile_engine(known_package(model_id), settings)
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"built in {compiled.seconds:.0f} s: {compiled.folder}")
    typer.echo(
        f"servers take it with engine: {{tensorrt: true, precision: {precision}, tensorrt_max_batch: {max_batch}}}"
    )
