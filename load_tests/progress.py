"""What a person sees while a test runs, and after it."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from load_tests.generator import Progress
from load_tests.results import Beside, Metric, Result, Run, metric_of

REFRESH_S = 0.5


class ConsoleListener(AbstractContextManager["ConsoleListener"]):
    """A bar for what goes on, a line for each run that ended; lines alone where the console is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            auto_refresh=False,  # drawing takes the generator's own time: twice a second is enough
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task("", total=None, said="", visible=False)
        self._began_s = 0.0
        self._duration_s = 0.0
        self._progress = Progress()
        self._ended = threading.Event()
        self._drawing = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> ConsoleListener:
        self._bars.start()
        self._drawing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._drawing.join()
        self._bars.stop()

    def starts(self, what: str, duration_s: float, progress: Progress) -> None:
        """Show another thing."""
        self._began_s, self._duration_s, self._progress = time.monotonic(), duration_s, progress
        self._bars.update(self._task, description=what, total=duration_s or None, completed=0, visible=True)
        if not self._console.is_terminal:
            self._console.print(what)

    def ended(self, run: Run) -> None:
        """Say what a run found."""
        self._console.print(run_line(run), highlight=False)

    def _draw(self) -> None:
        while not self._ended.wait(REFRESH_S):
            told = self._progress
            said = f"{told.good} good of {told.answered} answered, {told.sent - told.answered} under way"
            self._bars.update(self._task, completed=time.monotonic() - self._began_s, said=said if told.sent else "")
            self._bars.refresh()


def run_line(run: Run) -> str:
    """A run in a line."""
    latency = f"p50 {run.latency.p50_ms:.1f} ms, p99 {run.latency.p99_ms:.1f} ms" if run.good else "no good answer"
    beside = (f"beside it {name}, {each.good} good of {each.sent}" for name, each in run.beside.items())
    told = [f"{run.target}: {run.load}: {run.throughput_rps:.1f}/s", latency, errors_line(run), *beside]
    return ", ".join(part for part in told if part)


def errors_line(run: Run | Beside) -> str:
    """How many errors of each kind."""
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(run.errors.items()))


def no_answer_line(run: Run) -> str:
    """Why nothing can be said of a run without a good answer."""
    told = errors_line(run) or "no request was due"
    return f"{run.target}: {run.load}: no good answer to {run.sent} requests: {told}"


def target_table(result: Result, target: str) -> Table:
    """What was measured of a target, a column for each load: medians of its rounds, and CPU time by process."""
    machine = result.machine
    table = Table(title=f"{result.name}: {target}\n{machine.cpu}, {machine.cpus} CPUs, load {machine.load_1m:.1f}")
    table.add_column("")
    by_load = runs_by_load(result, target)
    for load in by_load:
        table.add_column(load, justify="right")
    for name, shown in ROWS.items():
        cells = [shown(runs) for runs in by_load.values()]
        if any(cells):
            table.add_row(name, *cells)
    costs = [[run.cpu_ms for run in runs] for runs in by_load.values()]
    kinds = sorted({kind for of_load in costs for cost in of_load for kind in cost})
    if kinds:
        table.add_section()
        table.add_row("CPU ms a request, by process")
    for kind in kinds:
        medians = [median_of([cost.get(kind, 0.0) for cost in of_load]) for of_load in costs]
        if any(median >= SMALLEST_CPU_MS for median in medians):
            table.add_row(f"  {kind}", *(f"{median:.2f}" for median in medians))
    return table


def runs_by_load(result: Result, target: str) -> dict[str, list[Run]]:
    """Load -> the runs of a target, in the order in which they were made."""
    by_load: dict[str, list[Run]] = {}
    for run in result.runs:
        if run.target == target:
            by_load.setdefault(run.load, []).append(run)
    return by_load


def _offered(runs: list[Run]) -> str:
    offered = [run.offered_rps for run in runs if run.offered_rps is not None]
    if offered:
        return f"{median_of(offered):.1f}"
    return "1 client" if runs[0].concurrency == 1 else f"{runs[0].concurrency} clients"


def _late(runs: list[Run]) -> str:
    late = [run.lateness.p99_ms for run in runs if run.lateness is not None]
    return f"{median_of(late):.1f}" if late else ""


def _metric(name: Metric, form: str = ".1f", missing: str = "-") -> Callable[[list[Run]], str]:
    def shown(runs: list[Run]) -> str:
        told = [value for run in runs if (value := metric_of(run, name)) is not None]
        return format(median_of(told), form) if told else missing

    return shown


def _cpu(runs: list[Run]) -> str:
    return _metric("cpu_ms", ".2f")(runs) if runs[0].cpu_ms else ""


def _repeated(runs: list[Run]) -> str:
    repeated = median_of([run.repeated for run in runs])
    return f"{repeated:g}" if repeated else ""


SMALLEST_CPU_MS = 0.005
ROWS: Mapping[str, Callable[[list[Run]], str]] = {
    "offered a second": _offered,
    "answered a second": _metric("throughput_rps"),
    "within the objective a second": _metric("goodput_rps"),
    "p50 ms": _metric("p50_ms"),
    "p90 ms": _metric("p90_ms"),
    "p99 ms": _metric("p99_ms"),
    "p99.9 ms": _metric("p999_ms"),
    "errors": _metric("error_share", ".1%"),
    "refused p99 ms": _metric("refusal_p99_ms", missing=""),
    "asked again": _repeated,
    "generator late, p99 ms": _late,
    "CPU ms a request": _cpu,
}
"""What a table says of the rounds of one load; empty where it does not apply."""


def outcome_lines(result: Result) -> list[str]:
    """A line for each threshold and each target that was not run."""
    lines = [f"left out: {target}: {why}" for target, why in result.left_out.items()]
    for outcome in result.outcomes:
        verdict = {True: "held", False: "BROKEN", None: "not known"}[outcome.held]
        ratio = outcome.ratio
        measured = f"{ratio.median:.2f} ({ratio.lowest:.2f}-{ratio.highest:.2f})" if ratio else outcome.why
        lines.append(f"{verdict}: {outcome.says}" + (f": {measured}" if measured else ""))
    return lines


def median_of(values: list[float]) -> float:
    """Of the rounds of a load."""
    return statistics.median(values)
