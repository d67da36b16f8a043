"""What a person sees while a test runs, and after it."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from load_tests.generator import Progress
from load_tests.results import Result, Run, metric_of

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
    errors = ", ".join(f"{count} x {kind}" for kind, count in sorted(run.errors.items()))
    return (
        f"{run.target}: {run.load}: {run.throughput_rps:.1f}/s, p50 {run.latency.p50_ms:.1f} ms, "
        f"p99 {run.latency.p99_ms:.1f} ms" + (f", {errors}" if errors else "")
    )


def result_table(result: Result) -> Table:
    """The medians of each target under each load."""
    table = Table(
        title=f"{result.name} ({result.machine.cpu}, {result.machine.cpus} CPUs, load {result.machine.load_1m:.1f})"
    )
    heads = ("target", "load", "offered/s", "good/s", "goodput/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "errors")
    for head in (*heads, "CPU ms", "late p99 ms"):
        table.add_column(head, justify="left" if head in ("target", "load") else "right")
    sides = dict.fromkeys((run.target, run.load) for run in result.runs)
    for target, load in sides:
        runs = [run for run in result.runs if (run.target, run.load) == (target, load)]
        offered = [run.offered_rps for run in runs if run.offered_rps is not None]
        late = [run.lateness.p99_ms for run in runs if run.lateness is not None]
        table.add_row(
            target,
            load,
            f"{_median(offered):.1f}" if offered else f"{runs[0].concurrency} clients",
            *(
                f"{_median([metric_of(run, metric) for run in runs]):.1f}"
                for metric in ("throughput_rps", "goodput_rps")
            ),
            *(
                f"{_median([metric_of(run, metric) for run in runs]):.1f}"
                for metric in ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
            ),
            f"{_median([metric_of(run, 'error_share') for run in runs]):.1%}",
            f"{_median([metric_of(run, 'cpu_ms') for run in runs]):.2f}" if runs[0].cpu_ms else "",
            f"{_median(late):.1f}" if late else "",
        )
    return table


def cpu_table(result: Result) -> Table:
    """CPU milliseconds a request by kind of process."""
    table = Table(title="CPU ms a request, by process")
    sides = [(run.target, run.load) for run in result.runs if run.cpu_ms and run.round == 0]
    table.add_column("process")
    for target, load in sides:
        table.add_column(f"{target}\n{load}", justify="right")
    costs = {
        side: [run.cpu_ms for run in result.runs if (run.target, run.load) == side] for side in dict.fromkeys(sides)
    }
    for kind in sorted({kind for of_side in costs.values() for cost in of_side for kind in cost}):
        medians = [_median([cost.get(kind, 0.0) for cost in costs[side]]) for side in sides]
        if any(median >= 0.005 for median in medians):
            table.add_row(kind, *(f"{median:.2f}" for median in medians))
    return table


def outcome_lines(result: Result) -> list[str]:
    """A line for each threshold and each target that was not run."""
    lines = [f"left out: {target}: {why}" for target, why in result.left_out.items()]
    for outcome in result.outcomes:
        verdict = {True: "held", False: "BROKEN", None: "not known"}[outcome.held]
        ratio = outcome.ratio
        measured = f": {ratio.median:.2f} ({ratio.lowest:.2f}-{ratio.highest:.2f})" if ratio else ""
        lines.append(f"{verdict}: {outcome.says}{measured}")
    return lines


def _median(values: list[float]) -> float:
    return statistics.median(values)
