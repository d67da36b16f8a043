"""Against real servers in threads: this module is about which rounds are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from load_tests.aims import rounds
from load_tests.aims.rounds import Group, all_rounds, measure_rounds, read_rounds
from load_tests.results import Side
from load_tests.scenario import Scenario
from tests.unit.load_tests.test_progress import result_of
from tests.unit.load_tests.test_results import run
from tests.unit.load_tests.test_runner import Heard, InThread

SCENARIO = """
about: Small.
lateness_p99_ms: 5000
questions: {health: {get: /healthz}}
loads: {peak: {ask: health, clients: 2, duration_s: 0.1, warm_s: 0}}
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the servers that were started, for groups `a` and `b` of a small scenario."""
    (tmp_path / "small.yaml").write_text(SCENARIO)
    small = Group(scenario=str(tmp_path / "small.yaml"))
    monkeypatch.setattr(rounds, "GROUPS", {"a": small, "b": small})
    return []


def measure(folder: Path, started: list[str], count: int, *groups: str) -> list[str]:
    def targets(_: Scenario) -> dict[str, InThread]:
        return {"sightline": InThread("sightline", started)}

    failures: list[str] = []
    measure_rounds(folder, groups, count, dict.fromkeys("ab", targets), Heard(), failures.append)
    return failures


def test_groups_take_turns_and_what_is_there_is_not_measured_again(tmp_path: Path, started: list[str]) -> None:
    assert measure(tmp_path, started, 1, "a", "b") == []
    assert len(started) == 2
    measure(tmp_path, started, 2, "a")
    assert len(started) == 3
    measure(tmp_path, started, 2, "a", "b")
    assert len(started) == 4
    assert [len(read_rounds(tmp_path, group, 2)) for group in "ab"] == [2, 2]
    made = all_rounds(read_rounds(tmp_path, "a", 2))
    assert made is not None
    assert [run.round for run in made.runs] == [0, 1]


def test_a_round_that_failed_is_told_and_tried_again(
    tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no server")

    with monkeypatch.context() as patched:
        patched.setattr(rounds, "run_scenario", broken)
        assert measure(tmp_path, started, 1, "a") == ["a, round 1: no server"]
    assert read_rounds(tmp_path, "a", 1) == []
    assert measure(tmp_path, started, 1, "a") == []
    assert len(read_rounds(tmp_path, "a", 1)) == 1


def test_a_round_without_good_answers_is_not_written_down(
    tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = result_of(run(Side(target="sightline", load="peak"), 0, good=0, errors={"status 500": 100}))
    monkeypatch.setattr(rounds, "run_scenario", lambda *_: silent)
    assert measure(tmp_path, started, 1, "a") == [
        "a, round 1: sightline: peak: no good answer to 100 requests: 100 x status 500"
    ]
    assert read_rounds(tmp_path, "a", 1) == []


def test_no_rounds_are_no_result(tmp_path: Path) -> None:
    assert read_rounds(tmp_path, "plates", 5) == []
    assert all_rounds([]) is None
