from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from deployments.models.engines.spread import (
    LOAD_PATH,
    OTHER_WAY_RUNS,
    TRIALS,
    SpreadChoice,
    idle_cores,
    spread_threads,
    whole_machine_cores,
)

PICTURE, LINE = 3 * 640 * 640, 3 * 64 * 256


class Cores:
    """Cores that are idle, as the test says, and how often that was asked."""

    def __init__(self, idle: int) -> None:
        self.idle = idle
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.idle


def choice(cores: Cores, threads: int = 2) -> SpreadChoice:
    return SpreadChoice(threads, idle=cores, sleep=lambda _: None)


def run(choice: SpreadChoice, elements: int, *, alone_s: float, spread_s: float) -> bool:
    spread = choice.spreads(elements)
    choice.ran(elements, spread_s if spread else alone_s, spread=spread)
    return spread


def test_what_gains_by_idle_cores_gets_them() -> None:
    chosen = choice(Cores(1))
    spread = [run(chosen, PICTURE, alone_s=0.050, spread_s=0.030) for _ in range(100)]
    assert spread[: 2 * TRIALS].count(True) == TRIALS
    assert spread[2 * TRIALS :].count(False) <= 100 // OTHER_WAY_RUNS


def test_what_gains_little_is_left_alone_after_a_few_trials() -> None:
    chosen = choice(Cores(1))
    spread = [run(chosen, PICTURE, alone_s=0.050, spread_s=0.045) for _ in range(100)]
    assert spread[2 * TRIALS :].count(True) <= 100 // OTHER_WAY_RUNS


def test_a_wrong_verdict_is_found_out() -> None:
    chosen = choice(Cores(1))
    for _ in range(20):
        run(chosen, PICTURE, alone_s=0.050, spread_s=0.060)
    spread = [run(chosen, PICTURE, alone_s=0.050, spread_s=0.025) for _ in range(20 * OTHER_WAY_RUNS)]
    assert all(spread[-OTHER_WAY_RUNS + 1 :]) or spread[-OTHER_WAY_RUNS:].count(False) == 1


def test_a_short_run_is_never_spread_and_nobody_looks_for_cores() -> None:
    cores = Cores(8)
    chosen = choice(cores)
    run(chosen, LINE, alone_s=0.005, spread_s=0.001)
    cores.asked = 0
    assert not any(run(chosen, LINE, alone_s=0.005, spread_s=0.001) for _ in range(20))
    assert cores.asked == 0


def test_cores_that_are_busy_are_left_to_others_and_such_runs_are_not_compared() -> None:
    cores = Cores(0)
    chosen = choice(cores)
    assert not any(run(chosen, PICTURE, alone_s=0.150, spread_s=0.030) for _ in range(20))
    cores.idle = 1
    spread = [run(chosen, PICTURE, alone_s=0.050, spread_s=0.060) for _ in range(30)]
    assert not any(spread[2 * TRIALS :])


def test_a_task_that_only_happens_to_run_at_that_moment_does_not_count() -> None:
    idle = itertools.cycle([0, 0, 1])
    chosen = SpreadChoice(2, idle=lambda: next(idle), sleep=lambda _: None)
    assert any(run(chosen, PICTURE, alone_s=0.050, spread_s=0.030) for _ in range(20))


@pytest.mark.parametrize(("idle", "spread"), [(2, False), (3, True)])
def test_every_thread_more_needs_a_core(idle: int, spread: bool) -> None:
    chosen = choice(Cores(idle), threads=4)
    assert any(run(chosen, PICTURE, alone_s=0.050, spread_s=0.020) for _ in range(20)) is spread


def test_sizes_are_judged_each_by_itself() -> None:
    chosen = choice(Cores(1))
    for _ in range(20):
        run(chosen, PICTURE, alone_s=0.050, spread_s=0.045)
    eight = [run(chosen, 8 * PICTURE, alone_s=0.400, spread_s=0.220) for _ in range(20)]
    assert eight[-1]
    assert not run(chosen, PICTURE, alone_s=0.050, spread_s=0.045)


def test_idle_cores_are_all_but_those_that_run_something() -> None:
    if not LOAD_PATH.exists():
        pytest.skip(f"{LOAD_PATH} is missing")
    assert idle_cores() < (os.cpu_count() or 1)  # this test runs


def test_where_nobody_can_tell_what_is_idle_no_run_is_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.models.engines.spread.LOAD_PATH", tmp_path / "none")
    assert (spread_threads(8), spread_threads(None)) == (1, 1)


def test_as_many_threads_as_are_wanted() -> None:
    if not LOAD_PATH.exists():
        pytest.skip(f"{LOAD_PATH} is missing")
    assert (spread_threads(1), spread_threads(8)) == (1, 8)
    assert 1 <= spread_threads(None) <= 4


def test_only_some_cores_of_a_machine_are_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not LOAD_PATH.exists():
        pytest.skip(f"{LOAD_PATH} is missing")
    cores = os.cpu_count() or 1
    for quota, usable in (("max 100000", cores), ("-1", cores), ("150000 100000", 1), ("50000", 1)):
        (tmp_path / "quota").write_text(quota + "\n")
        monkeypatch.setattr("deployments.models.engines.spread.QUOTA_PATHS", (tmp_path / "quota",))
        monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
        assert whole_machine_cores() == usable
    monkeypatch.setattr("deployments.models.engines.spread.QUOTA_PATHS", ())
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores - 1)))
    assert whole_machine_cores() == 1
