from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from load_tests.progress import run_line, target_table
from load_tests.results import Latency, Machine, Result, Run, Side
from tests.unit.load_tests.test_results import run


def result_of(*runs: Run) -> Result:
    return Result(
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        commit="0" * 40,
        versions={},
        machine=Machine(platform="Linux", cpu="one", cpus=2, memory_gib=4, load_1m=0.1),
        name="plates",
        scenario={},
        targets=(),
        runs=runs,
    )


def shown(result: Result, target: str = "ours") -> dict[str, list[str]]:
    """First cell of each row -> the others, as a terminal of 80 columns has them."""
    out = StringIO()
    Console(file=out, width=80).print(target_table(result, target))
    assert "…" not in out.getvalue()  # what rich leaves of a cell that has no room
    rows = [line.strip("│┃").replace("┃", "│").split("│") for line in out.getvalue().splitlines() if line[0] in "│┃"]
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in rows}


def test_a_target_that_never_ran_has_an_empty_table() -> None:
    assert shown(result_of()) == {"": []}


def test_each_load_has_a_column_of_medians() -> None:
    peak, calm = Side(target="ours", load="peak"), Side(target="ours", load="calm")
    rows = shown(
        result_of(
            *(
                run(peak, number, throughput_rps=rate, concurrency=1, errors={"timeout": 20})
                for number, rate in enumerate((7, 30, 9))
            ),
            run(calm, 0, offered_rps=5.0, loop="open"),
            run(Side(target="theirs", load="peak"), 0, throughput_rps=99, concurrency=16),
        )
    )
    assert rows[""] == ["peak", "calm"]
    assert rows["offered a second"] == ["1 client", "5.0"]
    assert rows["answered a second"] == ["9.0", "8.0"]
    assert rows["errors"] == ["20.0%", "0.0%"]
    assert {"CPU ms a request", "asked again"}.isdisjoint(rows)


def test_how_quickly_refusals_came_is_shown_where_there_were_any() -> None:
    none = Latency(count=0, mean_ms=0, p50_ms=0, p90_ms=0, p99_ms=0, p999_ms=0, max_ms=0)
    refused = run(Side(target="ours", load="overload"), 0, concurrency=1)  # in 3 ms
    calm = run(Side(target="ours", load="calm"), 0, concurrency=1, refusals=none)
    assert shown(result_of(refused, calm))["refused p99 ms"] == ["3.0", ""]
    assert "refused p99 ms" not in shown(result_of(calm))


def test_requests_that_were_asked_again_are_counted() -> None:
    rows = shown(result_of(run(Side(target="ours", load="peak"), 0, concurrency=1, repeated=3)))
    assert rows["asked again"] == ["3"]


def test_a_load_without_good_answers_has_no_latency() -> None:
    silent = run(Side(target="ours", load="peak"), 0, concurrency=1, good=0, throughput_rps=0, errors={"timeout": 100})
    rows = shown(result_of(silent))
    assert (rows["p99 ms"], rows["answered a second"], rows["errors"]) == (["-"], ["0.0"], ["100.0%"])
    assert run_line(silent) == "ours: peak: 0.0/s, no good answer, 100 x timeout"


def test_processes_that_cost_next_to_nothing_are_left_out() -> None:
    costs = {"ObjectDetector": 70.0, "raylet": 0.001}
    rows = shown(result_of(run(Side(target="ours", load="peak"), 0, concurrency=16, cpu_ms=costs)))
    assert rows["offered a second"] == ["16 clients"]
    assert (rows["CPU ms a request"], rows["ObjectDetector"]) == (["70.00"], ["70.00"])
    assert "raylet" not in rows
