"""Tables of the command line."""

from __future__ import annotations

from deployments.cli.tables import table_lines


def test_columns_are_aligned_and_lines_end_where_their_text_does():
    assert table_lines(("name", "state"), [("a", "ready"), ("longer", "x")]) == [
        "name    state",
        "a       ready",
        "longer  x",
    ]


def test_numbers_stand_to_the_right():
    assert table_lines(("name", "CPUs"), [("a", "1"), ("b", "1200")], numbers=True) == [
        "name  CPUs",
        "a        1",
        "b     1200",
    ]


def test_a_long_row_is_one_line_and_what_looks_like_markup_stays():
    (_, row) = table_lines(("text",), [("[red]" + "x" * 500,)])
    assert row == "[red]" + "x" * 500


def test_no_rows_leave_the_head():
    assert table_lines(("name",), []) == ["name"]
