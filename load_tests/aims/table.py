"""The table of the aims, for a terminal of 80 columns and for a document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from load_tests.aims.aim import Measured
from load_tests.results import Result

VERDICTS = {True: "held", False: "MISSED", None: "unknown"}
HEADS = ("", "aim", "measured", "range", "n", "")


def rows_of(measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    """What stands in each row: the figure in words, its limit, median, range, rounds and verdict."""
    rows: list[tuple[str, ...]] = []
    for each in measured:
        form, median = each.aim.form, each.median
        figures = (
            ("", "") if median is None else (f"{median:{form}}", f"{min(each.values):{form}}-{max(each.values):{form}}")
        )
        rows.append((each.aim.says, each.aim.limit, *figures, str(len(each.values)), VERDICTS[each.held]))
    return rows


def console_table(measured: Sequence[Measured]) -> Table:
    """For a terminal."""
    table = Table(title="Aims", box=None, pad_edge=False)
    for head in HEADS:
        table.add_column(head, justify="right" if head else "left")
    for row in rows_of(measured):
        table.add_row(*row)
    return table


def markdown(measured: Sequence[Measured], results: Sequence[Result]) -> str:
    """For a document, with when and where it was measured."""
    lines = [*(f"{line}\n" for line in conditions(results)), _line(HEADS), _line(["---"] * len(HEADS))]
    return "\n".join([*lines, *(_line(row) for row in rows_of(measured))]) + "\n"


def conditions(results: Sequence[Result]) -> list[str]:
    """When, where and of what: from the first result to the last."""
    if not results:
        return []
    ordered = sorted(results, key=lambda result: result.made_at)
    first, machine = ordered[0], ordered[0].machine
    busy = [result.machine.load_1m for result in ordered]
    commits = ", ".join(dict.fromkeys(result.commit[:8] + result.commit[40:] for result in ordered))
    versions = ", ".join(f"{name} {version}" for name, version in first.versions.items())
    return [
        f"{_minute(first.made_at)} to {_minute(ordered[-1].made_at)}, commit {commits}; {versions}.",
        f"{machine.cpus} x {machine.cpu}, {machine.memory_gib:g} GiB; load average before each round "
        f"{min(busy):.1f} to {max(busy):.1f}.",
    ]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
