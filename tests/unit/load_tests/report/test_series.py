from __future__ import annotations

import pytest

from load_tests.report.series import Series, answered, intended
from load_tests.results import Histogram, Latency, Second, Side, TreeSample
from tests.unit.load_tests.test_results import run

PEAK = Side(target="ours", load="peak")


def series(*rounds: dict[str, object]) -> Series:
    runs = tuple(run(PEAK, number, **changed) for number, changed in enumerate(rounds))
    return Series(label="ours", colour="#000000", runs=runs)


def seconds(*counts: int, errors: dict[int, dict[str, int]] | None = None) -> tuple[Second, ...]:
    return tuple(
        Second(at_s=at_s, intended=5, good=1, answered=count, p50_ms=1, p99_ms=2, errors=(errors or {}).get(at_s, {}))
        for at_s, count in enumerate(counts)
    )


def test_lines_are_medians_of_the_rounds_with_their_range() -> None:
    drawn = series({"seconds": seconds(4, 1, 0)}, {"seconds": seconds(8, 3, 0)}, {"seconds": seconds(5, 0)})
    assert drawn.over_time(answered) == ({0: 5, 1: 2}, {0: 4, 1: 1}, {0: 8, 1: 3})


def test_the_last_second_is_no_whole_one_unless_it_is_the_only_one() -> None:
    assert answered(series({"seconds": seconds(7, 2)}).runs[0]) == {0: 7}
    assert answered(series({"seconds": seconds(7)}).runs[0]) == {0: 7}
    assert answered(series({}).runs[0]) == {}


def test_only_a_schedule_asks_for_anything() -> None:
    of_open = {"loop": "open", "duration_s": 2.0, "seconds": seconds(1, 1, 1)}
    assert intended(series(of_open).runs[0]) == {0: 5, 1: 5}
    assert intended(series({"seconds": seconds(1)}).runs[0]) == {}


def test_latencies_of_all_rounds_are_cumulated() -> None:
    first = Histogram(first_ms=1, growth=2, counts={0: 1, 2: 1})
    second = Histogram(first_ms=1, growth=2, counts={2: 1, 3: 1})
    assert series({"histogram": first}, {"histogram": second}).cumulated() == ([1, 4, 8], [0.25, 0.75, 1.0])


def test_requests_without_an_answer_were_answered_within_no_time() -> None:
    took = Latency(count=4, mean_ms=1, p50_ms=1, p90_ms=1, p99_ms=1, p999_ms=1, max_ms=1)
    answered_ms = Histogram(first_ms=1, growth=2, counts={0: 2, 1: 1})
    assert series({"histogram": answered_ms, "latency": took}).cumulated() == ([1, 2], [0.5, 0.75])


def test_no_latencies_cumulate_to_nothing() -> None:
    assert series({"histogram": Histogram(first_ms=1, growth=2, counts={})}).cumulated() == ([], [])


def test_errors_are_the_mean_of_the_rounds() -> None:
    drawn = series({"seconds": seconds(1, 1, errors={1: {"timeout": 4}})}, {"seconds": seconds(1, 1)})
    assert drawn.errors_by_second() == {"timeout": {1: 2.0}}


def test_replicas_are_deployments_alone() -> None:
    seen = {"raylet": 1, "haproxy": 2, "other": 3, "TextReader": 1}
    tree = [
        TreeSample(at_s=1.2, processes=seen, cpu_cores=1, memory_mib=1),
        TreeSample(at_s=2.2, processes=seen | {"TextReader": 2, "ObjectDetector": 1}, cpu_cores=1, memory_mib=1),
    ]
    assert series({"tree": tree}).replicas() == {"ObjectDetector": {1: 0, 2: 1}, "TextReader": {1: 1, 2: 2}}


def test_what_no_step_accounts_for_is_rest() -> None:
    took = Latency(count=1, mean_ms=20, p50_ms=0, p90_ms=0, p99_ms=0, p999_ms=0, max_ms=0)
    timing = {"step.1.queue": 1.0, "step.1.compute": 12.0}
    parts = series({"server_timing_ms": timing, "service": took}).parts_ms()
    assert parts == {("step.1", "queue"): 1, ("step.1", "compute"): 12, ("", "rest"): 7}


def test_steps_side_by_side_leave_no_rest() -> None:
    parts = series({"server_timing_ms": {"a.compute": 50.0}}).parts_ms()  # of a request that took 1 ms
    assert parts["", "rest"] == pytest.approx(0)


def test_without_server_timing_there_are_no_parts() -> None:
    assert series({}).parts_ms() == {}
