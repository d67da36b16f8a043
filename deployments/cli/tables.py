"""Tables for people; whoever wants to go on with what a command says takes `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

UNBOUNDED = 10_000
"""Columns of a terminal that breaks no line: what is piped into another program stays one line a row."""


def table_lines(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """The lines of a table with aligned columns.

    Args:
        head: names of the columns.
        rows: cells, as many each.
        numbers: whether all columns but the first hold numbers, which stand to the right.
    """
    from rich.console import Console  # loading it takes longer than most commands
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="")
    for place, name in enumerate(head):
        table.add_column(Text(name), justify="right" if numbers and place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    written = StringIO()
    Console(file=written, width=UNBOUNDED, color_system=None).print(table)
    return [line.rstrip() for line in written.getvalue().splitlines()]
