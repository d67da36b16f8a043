from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from load_tests.generator import Log, empty_log
from load_tests.statistics import (
    ScheduleMissedError,
    by_seconds,
    check_schedule,
    histogram_of,
    latency_of,
    lateness_of,
    server_timing_ms,
    summary_of,
)


def log_of(intended_s: list[float], sent_s: list[float], done_s: list[float], status: list[int]) -> Log:
    log = empty_log("open", len(intended_s), duration_s=4.0)
    log.intended_s[:], log.sent_s[:], log.done_s[:], log.status[:] = intended_s, sent_s, done_s, status
    log.failures = {row: "timeout" for row, code in enumerate(status) if code == 0}
    return log


def test_quantiles_are_those_of_all_samples() -> None:
    latency = latency_of(np.arange(1001) / 1000)  # 0 to 1000 ms in steps of 1
    assert (latency.count, latency.mean_ms, latency.p50_ms, latency.p90_ms) == pytest.approx((1001, 500, 500, 900))
    assert (latency.p99_ms, latency.p999_ms, latency.max_ms) == pytest.approx((990, 999, 1000))


def test_nothing_has_no_quantiles() -> None:
    assert set(latency_of(np.empty(0)).model_dump().values()) == {0}
    assert histogram_of(np.empty(0)).counts == {}


def test_a_histogram_knows_each_quantile_to_its_bucket() -> None:
    taken_s = np.random.default_rng(0).lognormal(-3, 1.5, 20_000)
    histogram = histogram_of(taken_s)
    numbers = np.array(sorted(histogram.counts))
    reached = np.cumsum([histogram.counts[number] for number in numbers]) / len(taken_s)
    for share in (0.01, 0.5, 0.9, 0.99, 0.999):
        upper_ms = histogram.first_ms * histogram.growth ** numbers[np.searchsorted(reached, share)]
        exact_ms = float(np.quantile(taken_s, share, method="inverted_cdf")) * 1000
        assert exact_ms <= upper_ms * (1 + 1e-9)
        assert upper_ms / histogram.growth <= exact_ms * (1 + 1e-9)


def test_a_histogram_puts_what_took_no_time_into_its_first_bucket() -> None:
    assert histogram_of(np.array([0.0, 1e-9, 1e-5])).counts == {0: 3}


def test_latency_counts_from_the_intended_time_and_service_from_the_real_one() -> None:
    summary = summary_of(log_of([0, 1], [0, 1.5], [0.1, 1.6], [200, 200]), slo_ms=None)
    assert summary["latency"].max_ms == pytest.approx(600)
    assert summary["service"].max_ms == pytest.approx(100)


def test_rates_are_told_by_what_came_of_the_requests() -> None:
    log = log_of([0, 1, 2, 3, 3.5], [0, 1, 2, 3, 3.5], [0.1, 1.9, 2.01, 5, 4], [200, 200, 503, 0, 500])
    summary = summary_of(log, slo_ms=500)
    assert summary["offered_rps"] == pytest.approx(5 / 4)
    assert summary["throughput_rps"] == pytest.approx(2 / 4)
    assert summary["goodput_rps"] == pytest.approx(1 / 4)
    assert summary["in_time"] == 1
    assert summary["refusals"].max_ms == pytest.approx(10)
    assert summary["errors"] == {"status 503": 1, "status 500": 1, "timeout": 1}
    assert (summary["sent"], summary["good"]) == (5, 2)


def test_requests_that_timed_out_are_in_the_quantiles_with_the_time_they_took() -> None:
    due = [4 * row / 100 for row in range(100)]
    done = [at + (30 if row >= 85 else 0.01) for row, at in enumerate(due)]
    log = log_of(due, due, done, [0 if row >= 85 else 200 for row in range(100)])
    summary = summary_of(log, None)
    assert summary["latency"].p99_ms == pytest.approx(30_000)
    assert (summary["latency"].count, summary["latency"].p50_ms) == (100, pytest.approx(10))
    assert sum(summary["histogram"].counts.values()) == 85
    assert [second.p99_ms for second in summary["seconds"]][3:4] == [pytest.approx(30_000)]


def test_requests_that_were_lost_early_make_no_quantile_smaller() -> None:
    summary = summary_of(log_of([0, 1, 2], [0, 1, 2], [0.5, 1.001, 2.002], [200, 0, 0]), None)
    assert summary["latency"].p50_ms == pytest.approx(500)


def test_other_answers_are_in_no_latency() -> None:
    summary = summary_of(log_of([0, 1], [0, 1], [0.5, 9], [200, 503]), None)
    assert (summary["latency"].count, summary["latency"].max_ms) == (1, pytest.approx(500))


@pytest.mark.parametrize("last", [200, 0])
def test_one_stuck_request_divides_no_rate(last: int) -> None:
    due = [4 * row / 300 for row in range(300)]
    done = [*(at + 0.001 for at in due[:-1]), due[-1] + 28]
    summary = summary_of(log_of(due, due, done, [200] * 299 + [last]), slo_ms=1000)
    assert summary["throughput_rps"] == summary["goodput_rps"] == pytest.approx(299 / 4)


def test_slow_answers_to_clients_that_wait_are_not_cut_off() -> None:
    log = log_of([0, 0, 3, 3], [0, 0, 3, 3], [3, 3, 6, 6], [200] * 4)
    assert summary_of(log, None)["throughput_rps"] == pytest.approx(4 / 6)


def test_a_run_without_requests_has_a_summary() -> None:
    summary = summary_of(log_of([], [], [], []), slo_ms=10)
    assert (summary["sent"], summary["throughput_rps"], summary["errors"], summary["seconds"]) == (0, 0, {}, ())


def test_seconds_tell_what_was_due_and_what_came() -> None:
    seconds = by_seconds(log_of([0.1, 0.9, 1.2], [0.1, 0.9, 1.2], [0.2, 3.1, 1.3], [200, 200, 500]))
    assert [(second.intended, second.good, second.answered) for second in seconds] == [
        (2, 2, 1),
        (1, 0, 1),
        (0, 0, 0),
        (0, 0, 1),
    ]
    assert seconds[0].p99_ms == pytest.approx(100 + 0.99 * 2100)
    assert [second.errors for second in seconds] == [{}, {"status 500": 1}, {}, {}]


def test_a_schedule_that_was_kept_tells_its_lateness() -> None:
    late = check_schedule(log_of([0, 1], [0.001, 1.002], [0.1, 1.1], [200, 200]))
    assert late is not None
    assert late.max_ms == pytest.approx(2)


def test_a_schedule_that_was_not_kept_is_not_reported() -> None:
    with pytest.raises(ScheduleMissedError, match="figures of the generator"):
        check_schedule(log_of([0, 1], [0, 1.5], [0.1, 1.6], [200, 200]))


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_requests_that_were_not_sent_are_no_schedule_kept(loop: Literal["open", "closed"]) -> None:
    log = log_of([0, 1], [0, 1], [0.1, 1], [200, 0])
    log.loop = loop
    log.failures = {1: "not sent, 8000 were in flight"}
    with pytest.raises(ScheduleMissedError, match="1 of 2 requests were not sent: 8000 were in flight"):
        check_schedule(log)


def test_lateness_is_of_the_requests_that_were_sent() -> None:
    late = lateness_of(log_of([0, 1, 2], [0.001, 1.002, np.nan], [0.1, 1.1, np.nan], [200, 200, 0]))
    assert late is not None
    assert (late.count, late.max_ms) == (2, pytest.approx(2))
    assert lateness_of(empty_log("open", 0, 1.0)) == latency_of(np.empty(0))


def test_a_closed_loop_has_no_schedule() -> None:
    log = log_of([0], [5], [6], [200])
    log.loop = "closed"
    assert check_schedule(log) is None
    assert lateness_of(log) is None


def test_parts_of_server_timing_are_averaged_over_the_answers_that_have_any() -> None:
    headers = ["detect.queue;dur=1.0, detect.compute;dur=10.5", 'detect.compute;desc="x";dur=20.5', "miss"]
    assert server_timing_ms(headers) == {"detect.queue": 0.5, "detect.compute": 15.5}
    assert server_timing_ms([]) == {}
