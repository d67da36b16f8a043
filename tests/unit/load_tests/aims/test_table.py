from __future__ import annotations

from io import StringIO

from rich.console import Console

from load_tests.aims.aim import AIMS, Aim, Measured
from load_tests.aims.table import conditions, console_table, markdown, rows_of
from tests.unit.load_tests.test_progress import result_of

AIM = Aim(says="share", group="plates", value=lambda _: None, at_least=0.85)


def test_a_row_has_median_range_and_verdict() -> None:
    told = rows_of([Measured(aim=AIM, values=(0.5, 0.9, 0.86)), Measured(aim=AIM, values=(0.1,))])
    assert told == [
        ("share", ">= 0.85", "0.86", "0.50-0.90", "3", "held"),
        ("share", ">= 0.85", "0.10", "0.10-0.10", "1", "MISSED"),
    ]


def test_what_was_not_measured_says_so() -> None:
    assert rows_of([Measured(aim=AIM, values=())]) == [("share", ">= 0.85", "", "", "0", "unknown")]
    assert rows_of([]) == []


def test_the_table_of_all_aims_fits_eighty_columns() -> None:
    out = StringIO()
    values = (12.345, 123.456)
    Console(file=out, width=80).print(console_table([Measured(aim=aim, values=values) for aim in AIMS]))
    lines = out.getvalue().splitlines()
    assert len(lines) == len(AIMS) + 2  # title and heads: no row is broken
    assert "…" not in out.getvalue()


def test_the_document_says_when_and_where() -> None:
    result = result_of().model_copy(update={"commit": "0123456789" * 4 + "+", "versions": {"ray": "2.60.0"}})
    text = markdown([Measured(aim=AIM, values=(0.9,))], [result, result])
    assert text.splitlines()[0] == "2026-01-01 00:00 to 2026-01-01 00:00, commit 01234567+; ray 2.60.0."
    assert "2 x one, 4 GiB; load average before each round 0.1 to 0.1." in text
    assert "| share | >= 0.85 | 0.90 | 0.90-0.90 | 1 | held |" in text
    assert conditions([]) == []
