"""`python -m load_tests capacity`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from load_tests.capacity.measuring import Point, Window
from load_tests.capacity.series import Series, measure_routers, measure_scaling
from load_tests.capacity.tables import as_markdown
from load_tests.machine import checkout_commit, installed_versions, this_machine

RESULTS = Path(__file__).parents[1] / "results" / "local"
WARM_S, COUNTED_S = 4.0, 10.0


def capacity(
    accelerators: Annotated[str, typer.Option(help="Numbers of emulated accelerators.")] = "1,2,4,8,16,32,64",
    routers: Annotated[str, typer.Option(help="Numbers of WorkflowRouters.")] = "1,2,4",
    most_replicas: Annotated[
        int, typer.Option(min=1, max=64, help="Detector processes at most; beyond it several devices share one.")
    ] = 8,
    partly: Annotated[int, typer.Option(min=0, help="How many are asked at a part of their peak, too; 0: none.")] = 8,
    counted_s: Annotated[float, typer.Option(min=3, help="Seconds that are counted at each.")] = COUNTED_S,
    out: Annotated[Path | None, typer.Option(help="File for the result; below load_tests/results/local else.")] = None,
) -> None:
    """Measure what a cluster around emulated accelerators carries, beside what the formula says."""
    machine, made_at = this_machine(), datetime.now(UTC)
    window = Window(warm_s=WARM_S, counted_s=counted_s)
    found: dict[str, list[Point]] = {"scaling": [], "partial": []}
    try:
        for kind, point in measure_scaling(_numbers(accelerators), most_replicas, window, partly, _say):
            found[kind].append(point)
        by_routers = tuple(measure_routers(_numbers(routers), window, _say))
    except (RuntimeError, ValueError) as error:
        typer.echo(f"load_tests: {error}", err=True)
        raise typer.Exit(2) from error
    series = Series(
        made_at=made_at,
        commit=checkout_commit(),
        versions=installed_versions(),
        machine=machine,
        scaling=tuple(found["scaling"]),
        partial=tuple(found["partial"]),
        routers=by_routers,
    )
    path = out or RESULTS / f"{made_at:%Y-%m-%d-%H%M%S}-capacity.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(series.model_dump_json(indent=1) + "\n", encoding="utf-8")
    typer.echo(as_markdown(series))
    typer.echo(f"written to {path}")
    if failed := sum(point.errors for point in (*series.scaling, *series.partial, *series.routers)):
        typer.echo(f"load_tests: {failed} requests failed", err=True)
        raise typer.Exit(1)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        numbers = (0,)
    if any(number < 1 for number in numbers):
        raise typer.BadParameter(f"{text!r} must be whole numbers from 1, with commas between them")
    return numbers


def _say(point: Point) -> None:
    load = f"{point.clients} clients" if point.offered_rps is None else f"{point.offered_rps:.1f}/s offered"
    typer.echo(
        f"{point.accelerators} accelerators behind {point.replicas} replicas, {point.routers} routers, {load}: "
        f"{point.requests_s:.1f} requests/s, p50 {point.p50_ms:.0f} ms, {point.cores_busy:.2f} cores busy"
    )
