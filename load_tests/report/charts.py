"""Charts of a load, as SVG that stands in a page.

Drawn by matplotlib, which the server's `supervision` brings along anyway: a chart is 10 to 30 KB and needs no script,
where a charting library that runs in the browser would put megabytes of its own into every page.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from load_tests.report.series import REST, Points, Series, answered, cpu_cores, intended, p99_ms
from load_tests.results import Run

COLOURS = ("#2563eb", "#f59e0b", "#10b981", "#a855f7", "#ef4444", "#0891b2", "#84cc16", "#ec4899")
INK, PALE, GREY = "#1f2937", "#e5e7eb", "#9ca3af"
CHART_INCHES = (6.2, 3.1)
NINES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)
PART_ALPHAS = {"queue": 0.3, "transfer": 0.6, "compute": 1.0}

STYLE: Any = {  # the stub wants every key as a literal
    "svg.fonttype": "none",  # text stays text: smaller, and it can be searched
    "svg.hashsalt": "load_tests",  # the same result gives the same page
    "text.parse_math": False,  # a name of a step may hold a dollar
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "text.color": INK,
}


def latency_cdf(series: Sequence[Series]) -> str | None:
    """Share of the requests that were answered within a time; the tail takes as much room as the middle."""
    curves = [(each, *each.cumulated()) for each in series]
    if not any(edges_ms for _, edges_ms, _ in curves):
        return None
    with mpl.rc_context(STYLE):
        axes = _axes()
        for each, edges_ms, shares in curves:
            seen = sum(run.latency.count for run in each.runs)
            # The slowest answer of n says that 1/n of all take so long; beyond that nothing is known.
            nines = -np.log10(np.maximum(1 - np.array(shares), 0.5 / max(seen, 1)))
            axes.step(edges_ms, nines, where="post", color=each.colour, label=each.label, linewidth=1.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda ms, _: _plain(ms, 0) if _leading(ms) in (2, 5) else ""))
        axes.tick_params(axis="x", which="both", length=3, pad=4)
        axes.set_yticks([-np.log10(1 - share) for share in NINES], [f"{share * 100:g} %" for share in NINES])
        axes.set_ylim(0, max(float(axes.get_ylim()[1]), 2.1))
        axes.set_xlabel("ms from the intended time of sending")
        return _svg(axes)


def throughput(series: Sequence[Series]) -> str | None:
    """Answers a second over time, and how many were asked for where a schedule says so."""
    return _over_time(series, answered, "answers a second", asked=intended)


def latency_over_time(series: Sequence[Series]) -> str | None:
    """The 99th percentile of each second."""
    return _over_time(series, p99_ms, "p99, ms")


def cpu_over_time(series: Sequence[Series]) -> str | None:
    """Cores that each server kept busy."""
    return _over_time(series, cpu_cores, "cores busy")


def errors(series: Sequence[Series]) -> str | None:
    """Requests that were not answered as they should be, by kind and by the second in which they were due."""
    kinds = [(each, kind, counts) for each in series for kind, counts in each.errors_by_second().items()]
    if not kinds:
        return None
    with mpl.rc_context(STYLE):
        axes = _axes()
        below: dict[int, float] = {}
        several = len({each.label for each, _, _ in kinds}) > 1
        for number, (each, kind, counts) in enumerate(kinds):
            seconds = sorted(counts)
            axes.bar(
                seconds,
                [counts[second] for second in seconds],
                bottom=[below.get(second, 0.0) for second in seconds],
                width=1.0,
                align="edge",
                color=COLOURS[(number + 4) % len(COLOURS)],
                label=f"{each.label}: {kind}" if several else kind,
            )
            for second in seconds:
                below[second] = below.get(second, 0.0) + counts[second]
        length_s = max(run.duration_s for each in series for run in each.runs)
        axes.set_xlim(0, max(length_s, max(below) + 1))
        axes.set_xlabel("s since the beginning")
        axes.set_ylabel("errors a second")
        return _svg(axes)


def replicas(series: Sequence[Series]) -> str | None:
    """Replicas of each deployment over time: a colour for a deployment, a kind of line for a server."""
    lines = [(each, name, points) for each in series for name, points in each.replicas().items()]
    if not lines:
        return None
    names = list(dict.fromkeys(name for _, name, _ in lines))
    servers = list(dict.fromkeys(each.label for each, _, _ in lines))
    with mpl.rc_context(STYLE):
        axes = _axes()
        for each, name, points in lines:
            # A little apart, so that deployments with as many replicas do not hide one another.
            apart = 0.06 * (names.index(name) - (len(names) - 1) / 2)
            axes.step(
                list(points),
                [count + apart for count in points.values()],
                where="post",
                color=COLOURS[names.index(name) % len(COLOURS)],
                linestyle=("-", "--", ":")[min(servers.index(each.label), 2)],
                label=f"{each.label}: {name}" if len(servers) > 1 else name,
                linewidth=1.8,
            )
        axes.set_ylim(0, 0.5 + max(max(points.values()) for _, _, points in lines))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("s since the beginning")
        axes.set_ylabel("replicas")
        return _svg(axes, legend_columns=min(len(servers), 2) if len(servers) > 1 else 2)


def where_time_went(series: Sequence[Series]) -> str | None:
    """A bar for each side: what a mean request waited, travelled and was computed in each step."""
    bars = [(each, parts) for each in series if (parts := each.parts_ms())]
    if not bars:
        return None
    steps = list(dict.fromkeys(step for _, parts in bars for step, _ in parts if step))
    with mpl.rc_context(STYLE):
        axes = _axes((CHART_INCHES[0] * 2.05, 1.3 + 0.42 * len(bars)))
        for row, (_, parts) in enumerate(bars):
            left = 0.0
            for (step, part), part_ms in parts.items():
                colour = COLOURS[steps.index(step) % len(COLOURS)] if step else PALE
                alpha = PART_ALPHAS.get(part, 1.0)
                axes.barh(row, part_ms, left=left, height=0.62, color=colour, alpha=alpha, edgecolor="white", lw=0.5)
                left += part_ms
            axes.text(left, row, f" {left:,.1f} ms", va="center", ha="left")
            axes.set_xlim(0, max(float(axes.get_xlim()[1]), left * 1.1))
        axes.set_yticks(range(len(bars)), [each.label for each, _ in bars])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("ms of a mean request")
        handles = [Patch(color=COLOURS[number % len(COLOURS)], label=step) for number, step in enumerate(steps)]
        handles += [Patch(color=INK, alpha=alpha, label=part) for part, alpha in PART_ALPHAS.items()]
        handles.append(Patch(color=PALE, label=REST[1]))
        return _svg(axes, handles=handles, legend_columns=8)


def _over_time(
    series: Sequence[Series],
    value: Callable[[Run], Points],
    label: str,
    *,
    asked: Callable[[Run], Points] | None = None,
) -> str | None:
    if not any(value(run) for each in series for run in each.runs):
        return None
    with mpl.rc_context(STYLE):
        axes = _axes()
        for each in series:
            median, lowest, highest = each.over_time(value)
            seconds = list(median)
            axes.plot(seconds, list(median.values()), color=each.colour, label=each.label, linewidth=1.6)
            if len(each.runs) > 1:
                edges = (list(lowest.values()), list(highest.values()))
                axes.fill_between(seconds, *edges, color=each.colour, alpha=0.15, linewidth=0)
            wanted = each.over_time(asked)[0] if asked else {}
            if wanted:
                style = {"color": each.colour, "linewidth": 1.0, "linestyle": ":"}
                axes.plot(list(wanted), list(wanted.values()), label=f"{each.label}: asked", **style)  # type: ignore[arg-type]
        axes.set_ylim(bottom=0)
        axes.set_xlabel("s since the beginning")
        axes.set_ylabel(label)
        return _svg(axes)


def _axes(inches: tuple[float, float] = CHART_INCHES) -> Axes:
    figure = Figure(figsize=inches, layout="constrained")
    figure.patch.set_alpha(0)
    return figure.subplots()


def _svg(axes: Axes, *, handles: list[Patch] | None = None, legend_columns: int = 3) -> str:
    """The chart with its legend above it, without the lines that only a file needs."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes are made in one
    shown = handles or axes.get_legend_handles_labels()[0]
    if shown:
        place: dict[str, Any] = {"loc": "outside upper left", "ncols": legend_columns, "handlelength": 1.4}
        figure.legend(handles=shown, fontsize=8, **place)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _plain(value: float, _: int) -> str:
    return f"{value:g}"


def _leading(value: float) -> int:
    return round(value / 10 ** np.floor(np.log10(value))) if value > 0 else 0
