from __future__ import annotations

import math
from io import StringIO

import pytest
from rich.console import Console

from load_tests.report.comparison import (
    Compared,
    compared,
    comparison_page,
    comparison_table,
    sides_of_both,
    warnings_of,
)
from load_tests.results import LATENCIES, Metric, Side
from tests.unit.load_tests.test_progress import result_of
from tests.unit.load_tests.test_results import latency, run

PEAK, CALM = Side(target="sightline", load="a_load_of_a_long_name"), Side(target="sightline", load="calm")
ONLY_A, ONLY_B = Side(target="peer", load="calm"), Side(target="one_process", load="calm")

A = result_of(run(PEAK, 0, throughput_rps=10), run(PEAK, 1, throughput_rps=12), run(ONLY_A, 0), run(CALM, 0))
B = result_of(run(CALM, 0), run(ONLY_B, 0), run(PEAK, 0, throughput_rps=123456.7), run(PEAK, 1, throughput_rps=1000))


def test_only_what_both_measured_is_compared() -> None:
    assert sides_of_both(A, B) == [PEAK, CALM]
    assert sides_of_both(A, result_of()) == []


@pytest.mark.parametrize(
    ("metric", "first", "second", "ratio", "change"),
    [
        ("throughput_rps", (10.0, 12.0), (22.0, 22.0), 2.0, "better"),
        ("throughput_rps", (10.0,), (5.0,), 0.5, "worse"),
        ("p99_ms", (10.0,), (5.0,), 0.5, "better"),
        ("p99_ms", (100.0,), (104.0,), 1.04, "alike"),  # less than 5 %
        ("p99_ms", (100.0, 200.0), (190.0, 300.0), 245 / 150, "alike"),  # the rounds overlap
        ("error_share", (0.0,), (0.5,), None, "worse"),
        ("p99_ms", (100.0,), (math.inf,), None, "worse"),  # no good answer
        ("p99_ms", (math.inf, math.inf), (100.0, 90.0), None, "better"),
        ("p99_ms", (math.inf,), (math.inf,), None, "alike"),
    ],
)
def test_a_change_is_told_where_it_is_more_than_the_rounds_differ(
    metric: Metric, first: tuple[float, ...], second: tuple[float, ...], ratio: float | None, change: str
) -> None:
    told = Compared(metric=metric, first=first, second=second)
    assert told.ratio == (pytest.approx(ratio) if ratio is not None else None)
    assert told.change == change


def test_metrics_that_are_nought_in_both_are_left_out() -> None:
    assert "cpu_ms" not in {each.metric for each in compared(A, B, CALM)}


def test_a_load_without_good_answers_is_not_quicker() -> None:
    errors = {"status 500": 100}
    silent = result_of(run(CALM, 0, good=0, throughput_rps=0, goodput_rps=0, errors=errors, latency=latency()))
    changes = {each.metric: each.change for each in compared(A, silent, CALM)}
    assert {changes[metric] for metric in (*LATENCIES, "throughput_rps", "error_share")} == {"worse"}
    out = StringIO()
    Console(file=out, width=80).print(comparison_table(A, silent))
    assert "never" in out.getvalue()


def test_the_table_fits_eighty_columns() -> None:
    out = StringIO()
    Console(file=out, width=80).print(comparison_table(A, B))
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80
    assert "…" not in out.getvalue()
    assert "62,228.3" in out.getvalue()  # (123456.7 + 1000) / 2


def test_the_page_draws_both_in_one_chart() -> None:
    page = comparison_page(A, B)
    assert "Load tests compared: plates" in page
    assert page.count("<svg") == 2  # of each load the latencies: these runs have no seconds
    assert page.count(">A</text>") == page.count(">B</text>") == 2


def test_what_makes_a_comparison_doubtful_is_said() -> None:
    assert warnings_of(A, A) == []
    elsewhere = A.model_copy(
        update={"machine": A.machine.model_copy(update={"cpus": 64}), "versions": {"ray": "3"}, "name": "other"}
    )
    told = warnings_of(A, elsewhere)
    assert len(told) == 3
    assert "ray" in told[2]
