"""The page of one result, and the pieces that every page is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from load_tests.progress import ROWS, SMALLEST_CPU_MS, median_of, runs_by_load
from load_tests.report import charts
from load_tests.report.series import Series, of_each
from load_tests.results import Outcome, Result, Run

TEMPLATE = Path(__file__).with_name("page.html")
VERDICTS = {True: ("held", "held"), False: ("broken", "broken"), None: ("not known", "unknown")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table; `verdict` is a class of the page's style, for what is shown as a badge."""

    text: str
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a page; a row of one cell is the title of those below it."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart, or why there is none."""

    title: str
    svg: str | None
    missing: str
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPart:
    """What is drawn of one load."""

    title: str
    about: str
    charts: Sequence[Chart]


def page(
    *,
    title: str,
    about: str,
    facts: Sequence[Sequence[tuple[str, str]]],
    tables: Sequence[Table],
    loads: Sequence[LoadPart],
    details: Sequence[Table] = (),
    warnings: Sequence[str] = (),
) -> str:
    """HTML that needs nothing beside itself: tables, the charts of each load, and tables for those who ask further."""
    parts = {"facts": facts, "tables": tables, "loads": loads, "details": details, "warnings": warnings}
    return _template().render(title=title, about=about, **parts)


def result_page(result: Result) -> str:
    """The page of a result."""
    colours = {
        name: charts.COLOURS[number % len(charts.COLOURS)]
        for number, name in enumerate(dict.fromkeys(run.target for run in result.runs))
    }
    loads = []
    for load in dict.fromkeys(run.load for run in result.runs):
        series = [
            Series(label=target, colour=colours[target], runs=runs)
            for target, runs in of_each(result.runs, load).items()
        ]
        loads.append(load_part(load, load_about(series[0].runs), series))
    return page(
        title=f"Load test: {result.name}",
        about=str(result.scenario.get("about", "")),
        facts=facts_of(result),
        warnings=[f"{target} was left out: {why}" for target, why in result.left_out.items()],
        tables=[*_outcomes(result.outcomes), *(_target_table(result, target) for target in colours)],
        loads=loads,
        details=[table for target in colours for table in _cpu_table(result, target)],
    )


def facts_of(result: Result) -> list[list[tuple[str, str]]]:
    """When, where and of what a result was measured."""
    machine = result.machine
    return [
        [("measured", f"{result.made_at:%Y-%m-%d %H:%M} UTC"), ("commit", result.commit[:12] + result.commit[40:])],
        [
            ("processor", machine.cpu),
            ("CPUs", str(machine.cpus)),
            ("memory", f"{machine.memory_gib:g} GiB"),
            ("load before", f"{machine.load_1m:.1f}"),
            ("system", machine.platform),
        ],
        list(result.versions.items()),
    ]


def load_about(runs: Sequence[Run]) -> str:
    """How a load was sent."""
    run = runs[0]
    how = (
        f"{run.concurrency} client(s) waiting for each answer"
        if run.loop == "closed"
        else f"{run.offered_rps:.1f} requests a second on a schedule that waits for nobody"
    )
    rounds = f", {len(runs)} rounds: lines are medians, bands their range" if len(runs) > 1 else ""
    return f"{how}, {run.duration_s:g} s{rounds}"


def load_part(title: str, about: str, series: Sequence[Series]) -> LoadPart:
    """Every chart of some series under one load."""
    unseen = "the server's processes were not seen: --pid names them where it was running already"
    return LoadPart(
        title=title,
        about=about,
        charts=[
            Chart(title="Latency: share answered within", svg=charts.latency_cdf(series), missing="no good answer"),
            Chart(title="Throughput over time", svg=charts.throughput(series), missing="no answer"),
            Chart(title="Latency over time", svg=charts.latency_over_time(series), missing="no good answer"),
            Chart(title="Errors over time", svg=charts.errors(series), missing="no errors"),
            Chart(title="Replicas over time", svg=charts.replicas(series), missing=_no_replicas(series, unseen)),
            Chart(title="CPU over time", svg=charts.cpu_over_time(series), missing=unseen),
            Chart(
                title="Where a request's time went",
                svg=charts.where_time_went(series),
                missing="no answer had Server-Timing: no model or step ran",
                wide=True,
            ),
        ],
    )


def _no_replicas(series: Sequence[Series], unseen: str) -> str:
    return "none of these servers has replicas" if any(run.tree for each in series for run in each.runs) else unseen


def _outcomes(outcomes: Sequence[Outcome]) -> Iterable[Table]:
    if not outcomes:
        return
    rows = []
    for outcome in outcomes:
        said, verdict = VERDICTS[outcome.held]
        ratio = outcome.ratio
        measured = f"{ratio.median:.2f}" if ratio else outcome.why
        spread = f"{ratio.lowest:.2f} to {ratio.highest:.2f}" if ratio else ""
        rows.append([Cell(text=text) for text in (outcome.says, measured, spread)] + [Cell(text=said, verdict=verdict)])
    yield Table(title="Thresholds", heads=("", "measured", "range of the rounds", ""), rows=rows)


def _target_table(result: Result, target: str) -> Table:
    """What was measured of a target: a column for each load, medians of its rounds."""
    by_load = runs_by_load(result, target)
    rows = []
    for name, shown in ROWS.items():
        cells = [shown(runs) for runs in by_load.values()]
        if any(cells):
            rows.append([Cell(text=text) for text in (name, *cells)])
    facts = next((facts for facts in result.targets if facts.name == target), None)
    starts = ", ".join(f"{start_s:.1f}" for start_s in facts.start_s) if facts else ""
    about = f"{facts.about}; ready after {starts} s" if facts and starts else ""
    return Table(title=target, heads=("", *by_load), rows=rows, about=about)


def _cpu_table(result: Result, target: str) -> Iterable[Table]:
    """What each kind of process of a target spent, the costliest first."""
    by_load = runs_by_load(result, target)
    kinds = {kind for runs in by_load.values() for run in runs for kind in run.cpu_ms}
    costs = {kind: [median_of([run.cpu_ms.get(kind, 0.0) for run in of]) for of in by_load.values()] for kind in kinds}
    told = [kind for kind, cost in costs.items() if max(cost) >= SMALLEST_CPU_MS]
    if told:
        told.sort(key=lambda kind: (-costs[kind][0], kind))
        rows = [[Cell(text=text) for text in (kind, *(f"{each:.2f}" for each in costs[kind]))] for kind in told]
        yield Table(title=f"CPU ms a request, by process: {target}", heads=("", *by_load), rows=rows)


@lru_cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
