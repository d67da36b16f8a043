"""Against real servers in threads: this module is about what is measured of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from load_tests.arrivals import due_times_s
from load_tests.generator import closed_loop
from load_tests.questions import requests_of
from load_tests.results import Beside, Result, Run
from load_tests.runner import check_beside, run_scenario
from load_tests.scenario import Scenario
from load_tests.statistics import ScheduleMissedError
from load_tests.target import RunningTarget, TargetMissingError
from tests.unit.load_tests.stalling_server import stalling_server

HEALTH = {"questions": {"health": {"get": "/healthz"}}, "about": "a", "lateness_p99_ms": 5000}


@dataclass
class InThread:
    name: str
    started: list[str] = field(default_factory=list)
    about: str = "a server in a thread"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        with stalling_server() as server:
            self.started.append(self.name)
            yield RunningTarget(url=server.url, start_s=0.5)


class Missing:
    name = "missing"
    about = "not installed"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        raise TargetMissingError("no such program; install it")
        yield


class Refusing:
    name = "sightline"
    about = "nobody listens"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        yield RunningTarget(url="http://127.0.0.1:1")


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []

    def starts(self, what: str, duration_s: float, progress: object) -> None:
        self.said.append(what)

    def ended(self, run: Run) -> None:
        self.said.append(f"{run.target} {run.load} {run.round}")


def measure(scenario: dict[str, Any], *targets: Any, **options: bool) -> tuple[Result, list[str]]:
    heard = Heard()
    read = Scenario.model_validate(HEALTH | scenario)
    return run_scenario("test", read, {target.name: target for target in targets}, heard, **options), heard.said


PEAK = {"ask": "health", "clients": 2, "duration_s": 0.2, "warm_s": 0}


def test_targets_take_turns_and_are_started_for_each() -> None:
    started: list[str] = []
    scenario = {"targets": ["sightline", "theirs"], "rounds": 2, "loads": {"peak": PEAK}}
    result, said = measure(scenario, InThread("sightline", started), InThread("theirs", started))
    assert started == ["sightline", "theirs", "sightline", "theirs"]
    assert [(run.target, run.round) for run in result.runs] == [
        ("sightline", 0),
        ("theirs", 0),
        ("sightline", 1),
        ("theirs", 1),
    ]
    assert said[:3] == ["sightline: starting", "sightline: peak, round 1", "sightline peak 0"]
    assert result.targets[0].start_s == (0.5, 0.5)
    assert all(run.good == run.sent > 0 for run in result.runs)


def test_servers_side_by_side_are_started_once() -> None:
    started: list[str] = []
    scenario = {"targets": ["sightline", "theirs"], "rounds": 2, "loads": {"peak": PEAK}}
    measure(scenario, InThread("sightline", started), InThread("theirs", started), side_by_side_servers=True)
    assert started == ["sightline", "theirs"]


def test_a_rate_is_a_multiple_of_what_was_measured() -> None:
    calm = {"ask": "health", "rates_of": "peak", "arrivals": {"kind": "constant", "rate": 0.25, "duration_s": 1}}
    result, _ = measure({"loads": {"peak": PEAK, "calm": calm | {"warm_s": 0}}}, InThread("sightline"))
    peak, calmed = result.runs
    assert calmed.offered_rps == pytest.approx(peak.throughput_rps / 4, abs=1)


def test_a_rate_is_no_multiple_of_nothing() -> None:
    calm = {"ask": "health", "rates_of": "peak", "arrivals": {"kind": "constant", "rate": 0.25, "duration_s": 1}}
    scenario = {"loads": {"peak": PEAK, "calm": calm}}
    with pytest.raises(
        RuntimeError, match="sightline: calm: rates are multiples of what peak answered, and that was nothing"
    ):
        measure(scenario, Refusing())


def test_a_server_is_warmed_by_as_many_clients_as_will_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployments that grow under this load have grown when it is measured."""
    clients: list[int] = []

    def spy(*arguments: Any, **options: Any) -> Any:
        clients.append(options["clients"])
        return closed_loop(*arguments, **options)

    monkeypatch.setattr("load_tests.runner.closed_loop", spy)
    calm = {"ask": "health", "warm_s": 0.1, "arrivals": {"kind": "constant", "rate": 20, "duration_s": 0.2}}
    measure({"loads": {"peak": PEAK | {"warm_s": 0.1}, "calm": calm}}, InThread("sightline"))
    assert clients == [2, 2, 4]


def test_what_runs_beside_is_no_run_of_its_own_but_counted() -> None:
    loads = {"noise": PEAK | {"background": True, "duration_s": 30}, "peak": PEAK | {"beside": ["noise"]}}
    result, _ = measure({"loads": loads}, InThread("sightline"))
    assert [run.load for run in result.runs] == ["peak"]
    beside = result.runs[0].beside["noise"]
    assert beside.sent >= beside.good > 0
    assert beside.errors == {}


def test_what_runs_beside_has_rates_and_seeds_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    schedules: list[tuple[float, float, int]] = []

    def spy(arrivals: Any, *, unit_rps: float, seed: int) -> Any:
        schedules.append((arrivals.rate, unit_rps, seed))
        return due_times_s(arrivals, unit_rps=unit_rps, seed=seed)

    monkeypatch.setattr("load_tests.runner.due_times_s", spy)
    seeds: list[int] = []

    def asked_with(question: Any, target: Any, seed: int) -> Any:
        seeds.append(seed)
        return requests_of(question, target, seed)

    monkeypatch.setattr("load_tests.runner.requests_of", asked_with)
    constant = {"kind": "constant", "duration_s": 0.5}
    noise = {"ask": "health", "background": True, "arrivals": constant | {"rate": 40}}
    calm = {"ask": "health", "warm_s": 0, "beside": ["noise"], "arrivals": constant | {"rate": 0.05}}
    measure({"loads": {"peak": PEAK, "noise": noise, "calm": calm | {"rates_of": "peak"}}}, InThread("sightline"))
    (calm_rate, calm_unit, calm_seed), (noise_rate, noise_unit, noise_seed) = schedules
    assert (calm_rate, noise_rate, noise_unit) == (0.05, 40, 1.0)
    assert calm_unit != 1.0
    assert calm_seed != noise_seed
    assert seeds[-2:] == [calm_seed, noise_seed]


def test_a_run_beside_which_nothing_was_answered_is_none() -> None:
    noise = {"ask": "missing", "background": True, "arrivals": {"kind": "constant", "rate": 40, "duration_s": 30}}
    loads = {"noise": noise, "peak": PEAK | {"beside": ["noise"]}}
    questions = {"health": {"get": "/healthz"}, "missing": {"get": "/missing"}}
    with pytest.raises(
        RuntimeError, match=r"sightline: peak: noise beside it had 0 good answers to \d+ requests: \d+ x"
    ):
        measure({"loads": loads, "questions": questions}, InThread("sightline"))


def test_what_the_generator_could_not_send_beside_a_load_is_its_own_fault() -> None:
    with pytest.raises(ScheduleMissedError, match="1 of 10 requests were not sent: Too many open files"):
        check_beside({"noise": Beside(sent=10, good=9, errors={"not sent, Too many open files": 1})})


@pytest.mark.parametrize(
    ("good", "errors", "usable"), [(5, {}, True), (5, {"timeout": 5}, True), (4, {"timeout": 5}, False), (0, {}, False)]
)
def test_what_runs_beside_must_mostly_be_answered(good: int, errors: dict[str, int], usable: bool) -> None:
    beside = {"noise": Beside(sent=10, good=good, errors=errors)}
    with nullcontext() if usable else pytest.raises(RuntimeError, match="noise beside it"):
        check_beside(beside)


def test_thresholds_are_judged_and_say_so_when_their_baseline_is_missing() -> None:
    def threshold(target: str, **limit: float) -> dict[str, Any]:
        return {"metric": "throughput_rps", "of": "peak", "to": {"target": target, "load": "peak"}, **limit}

    limits = [threshold("sightline", at_least=1), threshold("sightline", at_most=0.5), threshold("missing", at_least=1)]
    scenario = {"targets": ["sightline", "missing"], "loads": {"peak": PEAK}, "thresholds": limits}
    result, _ = measure(scenario, InThread("sightline"), Missing())
    assert [outcome.held for outcome in result.outcomes] == [True, False, None]
    assert result.left_out == {"missing": "no such program; install it"}
    assert result.outcomes[0].says == "throughput_rps of peak >= 1 x sightline's of peak"


def test_a_generator_that_is_late_reports_nothing() -> None:
    arrivals = {"kind": "constant", "rate": 100_000, "duration_s": 0.5}  # more than one process can send
    loads = {"flood": {"ask": "health", "arrivals": arrivals, "warm_s": 0}}
    with pytest.raises(ScheduleMissedError):
        measure({"loads": loads, "lateness_p99_ms": 1}, InThread("sightline"))
