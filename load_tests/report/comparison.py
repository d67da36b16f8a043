"""Two results side by side: what each measured, and the second divided by the first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.table import Table as ConsoleTable

from load_tests.progress import median_of
from load_tests.report.charts import COLOURS
from load_tests.report.page import Cell, LoadPart, Table, facts_of, load_about, load_part, page
from load_tests.report.series import Series
from load_tests.results import LATENCIES, Metric, Result, Run, Side, metric_of

HIGHER_IS_BETTER: dict[Metric, bool] = {
    "throughput_rps": True,
    "goodput_rps": True,
    "p50_ms": False,
    "p90_ms": False,
    "p99_ms": False,
    "p999_ms": False,
    "cpu_ms": False,
    "error_share": False,
    "refusal_p99_ms": False,
    "peak_memory_mib": False,
}
ALIKE = 0.05
"""Medians closer than this are alike, whatever their ranges say."""

Change = Literal["better", "worse", "alike"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One metric of two sides.

    Attributes:
        first: the metric in each round of the first result; infinite for the latency of a round without good answers.
        second: the same of the second.
    """

    metric: Metric
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratio(self) -> float | None:
        """Median of the second divided by that of the first; None where that is no number."""
        above, below = median_of(list(self.second)), median_of(list(self.first))
        return above / below if below and math.isfinite(above) and math.isfinite(below) else None

    @property
    def change(self) -> Change:
        """`alike` where medians are close or the ranges of the rounds overlap."""
        overlap = min(self.first) <= max(self.second) and min(self.second) <= max(self.first)
        if overlap or (self.ratio is not None and abs(self.ratio - 1) < ALIKE):
            return "alike"
        grew = median_of(list(self.second)) > median_of(list(self.first))
        return "better" if grew == HIGHER_IS_BETTER[self.metric] else "worse"


def sides_of_both(first: Result, second: Result) -> list[Side]:
    """Targets and loads that both results have, in the order of the first."""
    theirs = {(run.target, run.load) for run in second.runs}
    ours = dict.fromkeys((run.target, run.load) for run in first.runs)
    return [Side(target=target, load=load) for target, load in ours if (target, load) in theirs]


def compared(first: Result, second: Result, side: Side) -> Iterator[Compared]:
    """Every metric of a side that both results tell, and that is not 0 in both throughout."""
    for metric in HIGHER_IS_BETTER:
        values = [_told(result.of(side), metric) for result in (first, second)]
        if all(values) and (any(values[0]) or any(values[1])):
            yield Compared(metric=metric, first=values[0], second=values[1])


def _told(runs: Iterable[Run], metric: Metric) -> tuple[float, ...]:
    """A metric in the rounds that tell it; who gives no good answer lets wait for ever, and is not quick."""
    values = (math.inf if metric in LATENCIES and not run.good else metric_of(run, metric) for run in runs)
    return tuple(value for value in values if value is not None)


def warnings_of(first: Result, second: Result) -> list[str]:
    """What makes the two hard to compare."""
    told = []
    if (first.machine.cpu, first.machine.cpus) != (second.machine.cpu, second.machine.cpus):
        told.append("measured on different machines: the ratios are theirs as much as the server's")
    if first.name != second.name or first.scenario != second.scenario:
        told.append("the scenarios differ: loads of the same name need not be the same load")
    changed = sorted(
        name
        for name in first.versions.keys() | second.versions.keys()
        if first.versions.get(name) != second.versions.get(name)
    )
    if changed:
        told.append(f"other versions of {', '.join(changed)}")
    return told


def comparison_table(first: Result, second: Result) -> ConsoleTable:
    """For a terminal of 80 columns: medians, and B / A."""
    table = ConsoleTable(title=f"A: {_named(first)}\nB: {_named(second)}")
    for head in ("", "A", "B", "B / A", ""):
        table.add_column(head, justify="right" if head else "left")
    for side in sides_of_both(first, second):
        table.add_section()
        table.add_row(f"{side.target}: {side.load}")
        for each in compared(first, second, side):
            ratio = f"{each.ratio:.2f}" if each.ratio is not None else ""
            table.add_row(f"  {each.metric}", _median(each.first), _median(each.second), ratio, each.change)
    return table


def comparison_page(first: Result, second: Result) -> str:
    """HTML with both results' figures, ratios, and their curves in one chart."""
    sides = sides_of_both(first, second)
    rows: list[list[Cell]] = []
    for side in sides:
        rows.append([Cell(text=f"{side.target}: {side.load}")])
        for each in compared(first, second, side):
            ratio = f"{each.ratio:.2f}" if each.ratio is not None else ""
            texts = (each.metric, _median(each.first), _range(each.first), _median(each.second), _range(each.second))
            rows.append([*(Cell(text=text) for text in (*texts, ratio)), Cell(text=each.change, verdict=each.change)])
    return page(
        title=f"Load tests compared: {first.name}" + (f" and {second.name}" if second.name != first.name else ""),
        about="A is the first result, B the second; medians of the rounds. Alike is what differs by less than 5 %, "
        "or by less than the rounds do among themselves.",
        facts=[[("", letter), *line] for letter, result in zip("AB", (first, second), strict=True)
               for line in facts_of(result)],
        warnings=warnings_of(first, second),
        tables=[Table(title="Side by side", heads=("", "A", "range", "B", "range", "B / A", ""), rows=rows)],
        loads=[_load(first.of(side), second.of(side), side) for side in sides],
    )  # fmt: skip


def _load(first: tuple[Run, ...], second: tuple[Run, ...], side: Side) -> LoadPart:
    series = [
        Series(label=letter, colour=colour, runs=runs)
        for letter, colour, runs in zip("AB", COLOURS[:2], (first, second), strict=True)
    ]
    return load_part(f"{side.target}: {side.load}", f"A: {load_about(first)}. B: {load_about(second)}.", series)


def _named(result: Result) -> str:
    return f"{result.name} {result.made_at:%Y-%m-%d %H:%M}, {result.commit[:8]}"


def _median(values: tuple[float, ...]) -> str:
    return _figure(median_of(list(values)))


def _range(values: tuple[float, ...]) -> str:
    return f"{_figure(min(values))} to {_figure(max(values))}" if len(values) > 1 else ""


def _figure(value: float) -> str:
    if not math.isfinite(value):
        return "never"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"
