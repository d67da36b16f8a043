from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from load_tests.arrivals import (
    MOST_REQUESTS,
    ArrivalsError,
    Constant,
    Poisson,
    Ramp,
    Stair,
    Step,
    Trace,
    TraceError,
    check_arrivals,
    due_times_s,
)


def test_constant_arrivals_have_one_gap() -> None:
    times = due_times_s(Constant(kind="constant", rate=4, duration_s=2), unit_rps=1, seed=0)
    assert_allclose(times, [0.125, 0.375, 0.625, 0.875, 1.125, 1.375, 1.625, 1.875])


@pytest.mark.parametrize("kind", [Constant, Poisson])
def test_a_rate_of_nothing_gives_no_arrivals(kind: type) -> None:
    assert len(due_times_s(kind(kind=kind.__name__.lower(), rate=0, duration_s=5), unit_rps=1, seed=0)) == 0


def test_rates_may_be_multiples() -> None:
    assert len(due_times_s(Constant(kind="constant", rate=3, duration_s=10), unit_rps=7.5, seed=0)) == 225


def test_poisson_arrivals_come_from_their_seed() -> None:
    schedule = Poisson(kind="poisson", rate=50, duration_s=20)
    first, again, other = (due_times_s(schedule, unit_rps=1, seed=seed) for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert len(first) != len(other) or (first != other).any()


def test_poisson_arrivals_have_the_mean_and_the_spread_of_exponential_gaps() -> None:
    times = due_times_s(Poisson(kind="poisson", rate=100, duration_s=1000), unit_rps=1, seed=3)
    gaps = np.diff(times)
    assert len(times) == pytest.approx(100_000, abs=5 * 316)  # five standard deviations: sqrt(100000) = 316
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.02)
    assert times[0] >= 0
    assert times[-1] < 1000


def test_an_even_ramp_is_as_dense_as_its_rate() -> None:
    ramp = Ramp(kind="ramp", from_rate=0, to_rate=20, duration_s=10, spacing="even")
    times = due_times_s(ramp, unit_rps=1, seed=0)
    # n(t) = t^2: request k, expected at k + 1/2, is due at sqrt(k + 1/2).
    assert_allclose(times, np.sqrt(np.arange(100) + 0.5))


def test_a_falling_ramp_ends_in_time() -> None:
    times = due_times_s(Ramp(kind="ramp", from_rate=20, to_rate=0, duration_s=10, spacing="even"), unit_rps=1, seed=0)
    assert len(times) == 100
    assert_allclose(times, 10 - np.sqrt(100 - (np.arange(100) + 0.5)))  # n(t) = 20 t - t^2


def test_steps_follow_one_another() -> None:
    stairs = (Stair(rate=1, duration_s=3), Stair(rate=0, duration_s=2), Stair(rate=2, duration_s=1))
    times = due_times_s(Step(kind="step", steps=stairs, spacing="even"), unit_rps=1, seed=0)
    assert_allclose(times, [0.5, 1.5, 2.5, 5.25, 5.75])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("trace.csv", "at_s,route\n100.5,a\n100,b\n103,c\n"),
        ("trace.jsonl", '{"at_s": 100.5}\n\n{"at_s": 100}\n{"at_s": 103, "route": "c"}\n'),
    ],
)
def test_a_trace_is_replayed_from_its_first_request_in_order(tmp_path, name, text) -> None:
    (tmp_path / name).write_text(text)
    times = due_times_s(Trace(kind="trace", path=tmp_path / name, speed=2), unit_rps=1, seed=0)
    assert_allclose(times, [0, 0.25, 1.5])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("trace.csv", "at_s\n1\nsoon\n", "line 3: at_s is 'soon'"),
        ("trace.csv", "time\n1\n", "line 2: at_s is None"),
        ("trace.csv", "at_s\nnan\n", "line 2: at_s is 'nan'"),
        ("trace.jsonl", "[1]\n", "line 1: at_s is None"),
        ("trace.jsonl", "{\n", "line 1 is no JSON"),
        ("trace.jsonl", "[" * 100_000, "line 1 is no JSON"),
        ("trace.jsonl", '{"at_s": 1' + "0" * 400 + "}", "line 1: at_s is 1"),
        ("trace.jsonl", "", "trace.jsonl: has no requests"),
        ("trace.csv", "at_s\n", "trace.csv: has no requests"),
        ("trace.csv", "at_s\n5\n5\n", r"its requests \(2\) are due at one moment"),
        ("trace.csv", "at_s\n" + "1" * 200_000, "field larger than field limit"),
    ],
)
def test_a_trace_that_has_no_times_is_refused_with_its_line(tmp_path, name, text, says) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(TraceError, match=says):
        due_times_s(Trace(kind="trace", path=tmp_path / name), unit_rps=1, seed=0)


def test_a_missing_trace_is_named(tmp_path) -> None:
    with pytest.raises(TraceError, match=r"trace none\.csv: No such file"):
        due_times_s(Trace(kind="trace", path=tmp_path / "none.csv"), unit_rps=1, seed=0)


def test_a_trace_that_is_no_text_is_refused(tmp_path) -> None:
    (tmp_path / "trace.csv").write_bytes(b"at_s\n1\n\xff\n")
    with pytest.raises(TraceError, match=r"trace\.csv: byte 7 is no UTF-8"):
        check_arrivals(Trace(kind="trace", path=tmp_path / "trace.csv"))


def test_a_trace_of_more_than_a_week_is_refused(tmp_path) -> None:
    (tmp_path / "trace.csv").write_text("at_s\n0\n1000000\n")
    with pytest.raises(TraceError, match=r"takes 1e\+06 s at a speed of 1"):
        check_arrivals(Trace(kind="trace", path=tmp_path / "trace.csv"))
    check_arrivals(Trace(kind="trace", path=tmp_path / "trace.csv", speed=2))


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_at_which_nothing_can_be_replayed_is_refused(tmp_path, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Trace(kind="trace", path=tmp_path / "trace.csv", speed=speed)


def test_more_requests_than_can_be_counted_are_refused_before_they_are_drawn() -> None:
    schedule = Poisson(kind="poisson", rate=MOST_REQUESTS / 1000, duration_s=1000)
    check_arrivals(schedule)
    with pytest.raises(ArrivalsError, match=r"asks for 1e\+07 requests"):
        due_times_s(schedule, unit_rps=2, seed=0)
    with pytest.raises(ArrivalsError, match=r"asks for 6.05e\+11 requests"):
        check_arrivals(Constant(kind="constant", rate=1e6, duration_s=7 * 24 * 3600))


def test_a_schedule_without_requests_is_refused() -> None:
    with pytest.raises(ArrivalsError, match="no requests"):
        check_arrivals(Constant(kind="constant", rate=0, duration_s=1))
