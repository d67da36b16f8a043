from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from load_tests.results import (
    LATENCIES,
    Histogram,
    Latency,
    Machine,
    Metric,
    Ratio,
    Result,
    Run,
    Side,
    TargetFacts,
    TreeSample,
    metric_of,
    ratio_of,
    read_result,
    write_result,
)

OURS, THEIRS = Side(target="ours", load="peak"), Side(target="theirs", load="peak")


def latency(p99_ms: float = 0.0) -> Latency:
    return Latency(count=1, mean_ms=1, p50_ms=1, p90_ms=2, p99_ms=p99_ms, p999_ms=p99_ms, max_ms=p99_ms)


def run(side: Side, number: int, **changed: object) -> Run:
    fields = {
        "target": side.target,
        "load": side.load,
        "round": number,
        "began_at": datetime(2026, 1, 1, tzinfo=UTC),
        "loop": "closed",
        "duration_s": 10.0,
        "sent": 100,
        "good": 80,
        "throughput_rps": 8.0,
        "goodput_rps": 7.0,
        "latency": latency(50.0),
        "service": latency(),
        "refusals": latency(3.0),
        "histogram": Histogram(first_ms=0.01, growth=1.01, counts={3: 80}),
    }
    return Run.model_validate(fields | changed)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("p50_ms", 1.0),
        ("p99_ms", 50.0),
        ("throughput_rps", 8.0),
        ("goodput_rps", 7.0),
        ("cpu_ms", 5.5),
        ("error_share", 0.2),
        ("refusal_p99_ms", 3.0),
        ("peak_memory_mib", 300.0),
    ],
)
def test_each_metric_is_found_in_a_run(metric: Metric, expected: float) -> None:
    tree = [{"at_s": at_s, "processes": {}, "cpu_cores": 1, "memory_mib": mib} for at_s, mib in ((0, 300), (1, 200))]
    made = run(OURS, 0, errors={"status 503": 15, "timeout": 5}, cpu_ms={"haproxy": 0.5, "router": 5.0}, tree=tree)
    assert metric_of(made, metric) == pytest.approx(expected)


def test_a_run_without_processes_and_requests_has_no_such_figures() -> None:
    empty = run(OURS, 0, sent=0, good=0, tree=[], refusals=latency().model_copy(update={"count": 0}))
    metrics: list[Metric] = ["cpu_ms", "error_share", "peak_memory_mib", "refusal_p99_ms"]
    assert [metric_of(empty, metric) for metric in metrics] == [None] * 4


def test_a_server_without_good_answers_has_no_latency() -> None:
    silent = run(OURS, 0, good=0, throughput_rps=0, errors={"status 500": 100}, cpu_ms={"router": 1.0})
    assert [metric_of(silent, metric) for metric in (*LATENCIES, "cpu_ms")] == [None] * 5
    assert [metric_of(silent, metric) for metric in ("throughput_rps", "error_share")] == [0, 1]


def test_sides_are_compared_within_their_rounds() -> None:
    runs = [
        run(side, number, throughput_rps=throughput)
        for side, throughputs in ((OURS, (9, 4, 30)), (THEIRS, (10, 8, 15)))
        for number, throughput in enumerate(throughputs)
    ]
    ratio = ratio_of(runs, "throughput_rps", OURS, THEIRS)
    assert ratio is not None
    assert ratio.rounds == (0.9, 0.5, 2.0)
    assert (ratio.median, ratio.lowest, ratio.highest) == (0.9, 0.5, 2.0)


def test_the_median_of_two_rounds_lies_between_them() -> None:
    runs = [run(OURS, 0, throughput_rps=1), run(OURS, 1, throughput_rps=2), run(THEIRS, 0), run(THEIRS, 1)]
    ratio = ratio_of(runs, "throughput_rps", OURS, THEIRS)
    assert ratio is not None
    assert ratio.median == pytest.approx((1 / 8 + 2 / 8) / 2)


@pytest.mark.parametrize("there", [[], [run(OURS, 0)], [run(OURS, 0), run(THEIRS, 1)]])
def test_nothing_is_compared_where_no_round_has_both_sides(there: list[Run]) -> None:
    assert ratio_of(there, "p99_ms", OURS, THEIRS) is None


def test_a_ratio_to_nothing_is_infinite_and_of_nothing_to_nothing_nought() -> None:
    runs = [run(OURS, 0, errors={"timeout": 1}), run(OURS, 1), run(THEIRS, 0), run(THEIRS, 1)]
    ratio = ratio_of(runs, "error_share", OURS, THEIRS)
    assert ratio is not None
    assert ratio.rounds == (math.inf, 0)
    assert Ratio.model_validate_json(ratio.model_dump_json()) == ratio


def test_without_another_side_a_ratio_is_the_figure_itself() -> None:
    ratio = ratio_of([run(OURS, 0, throughput_rps=3), run(OURS, 1, throughput_rps=5)], "throughput_rps", OURS, None)
    assert ratio is not None
    assert (ratio.rounds, ratio.median) == ((3, 5), 4)


def test_a_result_is_read_as_it_was_written(tmp_path) -> None:
    result = Result(
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        commit="0" * 40,
        versions={"python": "3.11"},
        machine=Machine(platform="Linux", cpu="one", cpus=2, memory_gib=4, load_1m=0.1),
        name="plates",
        scenario={},
        targets=(TargetFacts(name="ours", about="This."),),
        runs=(run(OURS, 0, tree=[TreeSample(at_s=0, processes={"raylet": 1}, cpu_cores=1, memory_mib=1)]),),
    )
    write_result(result, tmp_path / "new" / "result.json")
    assert read_result(tmp_path / "new" / "result.json") == result
    assert result.of(OURS) == result.runs
    assert result.of(THEIRS) == ()
