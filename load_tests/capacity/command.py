"""`python -m load_tests capacity`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from load_tests.capacity.measuring import Point, Window
from load_tests.capacity.series import Series, measure_routers, measure_scaling
from load_tests.capacity.tables import as_markdown
from load_tests.exit_statuses import BROKEN, LATE, UNUSABLE
from load_tests.machine import checkout_commit, installed_versions, this_machine
from load_tests.options import checked_out
from load_tests.results import write_result

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
    """Measure what a cluster around emulated accelerators carries, beside what the formula says.

    Exits with 3 when the generator was late, or ran out of ports or files; with 1 when requests failed otherwise.
    """
    window = Window(warm_s=WARM_S, counted_s=counted_s)
    series = Series(
        made_at=datetime.now(UTC), commit=checkout_commit(), versions=installed_versions(), machine=this_machine()
    )
    path = checked_out(out or RESULTS / f"{series.made_at:%Y-%m-%d-%H%M%S}-capacity.json", page_beside=False)
    try:
        for kind, point in chain(
            measure_scaling(_numbers(accelerators), most_replicas, window, partly),
            measure_routers(_numbers(routers), window),
        ):
            series = series.with_point(kind, point)
            write_result(series, path)  # at once: what was measured is not lost when a later cluster does not start
            _say(point)
    except (RuntimeError, ValueError) as error:
        typer.echo(f"load_tests: {error}", err=True)
        raise typer.Exit(UNUSABLE) from error
    typer.echo(as_markdown(series))
    typer.echo(f"written to {path}")
    points = (*series.scaling, *series.partial, *series.routers)
    if late := [point for point in points if point.schedule_missed]:
        typer.echo(f"load_tests: {len(late)} points say nothing of the cluster: {late[0].schedule_missed}", err=True)
        raise typer.Exit(LATE)
    if failed := sum(point.errors for point in points):
        typer.echo(f"load_tests: {failed} requests failed", err=True)
        raise typer.Exit(BROKEN)


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
