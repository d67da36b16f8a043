from __future__ import annotations

from typing import Any

import pytest

from load_tests.outcomes import outcomes_of
from load_tests.results import Run, Side
from load_tests.scenario import Scenario
from tests.unit.load_tests.test_results import run

PEAK, CALM, THEIRS = (
    Side(target=target, load=load) for target, load in (("sightline", "peak"), ("sightline", "calm"), ("peer", "peak"))
)


def held(threshold: dict[str, Any], *runs: Run, left_out: dict[str, str] | None = None) -> tuple[bool | None, bool]:
    """Whether a threshold held, and whether it counts as failed."""
    load = {"ask": "health", "clients": 1, "duration_s": 1}
    scenario = Scenario.model_validate(
        {
            "about": "a",
            "targets": ["sightline", "peer"],
            "questions": {"health": {"get": "/"}},
            "loads": {"peak": load, "calm": load},
            "thresholds": [threshold],
        }
    )
    (outcome,) = outcomes_of(scenario, runs, left_out or {})
    assert (outcome.ratio is None) == bool(outcome.why)
    return outcome.held, outcome.failed


def silent(side: Side, number: int = 0) -> Run:
    return run(side, number, good=0, throughput_rps=0, errors={"status 500": 100})


@pytest.mark.parametrize("metric", ["p50_ms", "p99_ms", "cpu_ms"])
def test_a_server_without_good_answers_holds_no_threshold(metric: str) -> None:
    of_ours = {"metric": metric, "of": "calm", "to": {"target": "sightline", "load": "peak"}, "at_most": 2}
    assert held(of_ours, silent(CALM), run(PEAK, 0, cpu_ms={"a": 1.0})) == (False, True)
    assert held(of_ours, silent(CALM), silent(PEAK)) == (False, True)
    rounds = [run(CALM, 0, cpu_ms={"a": 1.0}), silent(CALM, 1), run(PEAK, 0, cpu_ms={"a": 1.0}), run(PEAK, 1)]
    assert held(of_ours, *rounds) == (False, True)


def test_a_baseline_without_good_answers_leaves_a_threshold_unknown_and_failed() -> None:
    of_theirs = {"metric": "p99_ms", "of": "peak", "to": {"target": "peer", "load": "peak"}, "at_most": 2}
    assert held(of_theirs, run(PEAK, 0), silent(THEIRS)) == (None, True)
    assert held(of_theirs, run(PEAK, 0)) == (None, True)


def test_a_baseline_that_was_left_out_fails_nothing() -> None:
    of_theirs = {"metric": "p99_ms", "of": "peak", "to": {"target": "peer", "load": "peak"}, "at_most": 2}
    assert held(of_theirs, run(PEAK, 0), left_out={"peer": "not installed"}) == (None, False)


def test_processes_that_were_not_seen_leave_their_cost_unknown() -> None:
    of_ours = {"metric": "cpu_ms", "of": "peak", "to": {"target": "sightline", "load": "calm"}, "at_most": 2}
    assert held(of_ours, run(PEAK, 0), run(CALM, 0)) == (None, True)


@pytest.mark.parametrize(("errors", "expected"), [({}, (True, False)), ({"timeout": 1}, (False, True))])
def test_errors_are_judged_against_a_baseline_without_any(errors: dict[str, int], expected: tuple[bool, bool]) -> None:
    of_ours = {"metric": "error_share", "of": "calm", "to": {"target": "sightline", "load": "peak"}, "at_most": 2}
    assert held(of_ours, run(CALM, 0, errors=errors), run(PEAK, 0, errors={})) == expected


@pytest.mark.parametrize(("count", "expected"), [(0, (True, False)), (1, (True, False)), (2, (False, True))])
def test_a_threshold_without_a_baseline_is_in_the_unit_of_its_metric(count: int, expected: tuple[bool, bool]) -> None:
    absolute = {"metric": "error_share", "of": "calm", "at_most": 0.01}
    assert held(absolute, run(CALM, 0, errors={"timeout": count} if count else {})) == expected
