"""Running a scenario: targets in turns, A B A B, each under every load."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from subprocess import SubprocessError
from typing import Any, Protocol

from load_tests.arrivals import ArrivalsError, due_times_s
from load_tests.batches import batches_between, batches_of
from load_tests.cpu_accounting import watched
from load_tests.generator import Log, Progress, closed_loop, open_loop, run_loop, side_by_side
from load_tests.machine import checkout_commit, installed_versions, this_machine
from load_tests.outcomes import outcomes_of
from load_tests.progress import errors_line
from load_tests.questions import requests_of
from load_tests.results import Beside, Result, Run, TargetFacts
from load_tests.scenario import Load, Scenario
from load_tests.statistics import ScheduleMissedError, check_schedule, check_sent, summary_of
from load_tests.target import RunningTarget, Target, TargetMissingError

FAILURES = (RuntimeError, ArrivalsError, OSError, SubprocessError)
"""What `run_scenario` raises where something cannot be measured."""

WARM_CLIENTS = 4
SEEDS_OF_ROUNDS = 1000
"""Between the seeds of loads that run at the same time: each round adds 1 to them."""


class Listener(Protocol):
    """Hears how a test goes on."""

    def starts(self, what: str, duration_s: float, progress: Progress) -> None:
        """Something begins that takes about so long; `progress` is kept up to date."""
        ...

    def ended(self, run: Run) -> None:
        """A run is measured."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A load of a scenario, for one running server in one round.

    Attributes:
        seed: of everything that is drawn.
        throughputs: load -> good answers a second of this server in this round, of the loads before.
    """

    scenario: Scenario
    target: RunningTarget
    seed: int
    throughputs: Mapping[str, float] = field(default_factory=dict)

    def unit_rps(self, load: Load) -> float:
        """What a rate of 1 stands for.

        Raises:
            RuntimeError: rates are multiples of a load that was not measured before, or answered nothing.
        """
        if load.rates_of is None:
            return 1.0
        if not (unit_rps := self.throughputs.get(load.rates_of, 0.0)):
            told = "nothing" if load.rates_of in self.throughputs else "not measured before it"
            raise RuntimeError(f"rates are multiples of what {load.rates_of} answered, and that was {told}")
        return unit_rps

    def loop(self, load: Load, progress: Progress, number: int = 0) -> Coroutine[Any, Any, Log]:
        """The sending of one load, not yet begun; `number` counts those that run at the same time.

        Raises:
            RuntimeError: nobody knows its rates.
        """
        seed = self.seed + number * SEEDS_OF_ROUNDS
        requests = requests_of(self.scenario.questions[load.ask], self.target, seed)
        send = partial(closed_loop, self.target.url, requests, timeout_s=self.scenario.timeout_s, progress=progress)
        if load.clients is not None and load.duration_s is not None:
            return send(clients=load.clients, duration_s=load.duration_s)
        assert load.arrivals is not None  # a load has one of both
        due_s = due_times_s(load.arrivals, unit_rps=self.unit_rps(load), seed=seed)
        return open_loop(
            self.target.url,
            requests,
            due_s,
            timeout_s=self.scenario.timeout_s,
            duration_s=_length_s(load),
            progress=progress,
        )

    def warm_up(self, load: Load) -> None:
        """Ask for a while without counting, as many at once as will: what grows under this load has grown then."""
        if load.warm_s:
            requests = requests_of(self.scenario.questions[load.ask], self.target, self.seed)
            run_loop(
                closed_loop(
                    self.target.url,
                    requests,
                    clients=load.clients or WARM_CLIENTS,
                    duration_s=load.warm_s,
                    timeout_s=self.scenario.timeout_s,
                )
            )

    def measured(self, load: Load, progress: Progress) -> dict[str, Any]:
        """Fields of the `Run` of a load.

        Raises:
            ScheduleMissedError: the generator was late, and nothing can be said.
            RuntimeError: nobody knows its rates, or what should run beside it mostly failed.
        """
        for each in (load, *(self.scenario.loads[name] for name in load.beside)):
            self.unit_rps(each)  # before anything is asked
        told = {name: Progress() for name in load.beside}
        others = [
            partial(self.loop, self.scenario.loads[name], of_other, number)
            for number, (name, of_other) in enumerate(told.items(), 1)
        ]
        self.warm_up(load)
        began_at, before = datetime.now(UTC), batches_of(self.target)
        with watched(self.target.root_pid) as watch:
            log = run_loop(side_by_side(self.loop(load, progress), others))
        beside = {name: Beside(sent=of.sent, good=of.good, errors=dict(of.errors)) for name, of in told.items()}
        check_beside(beside)
        return {
            **summary_of(log, load.slo_ms),
            "began_at": began_at,
            "lateness": check_schedule(log, self.scenario.lateness_p99_ms),
            "cpu_ms": watch.cpu_ms(int((log.status != 0).sum())),
            "beside": beside,
            "batches": batches_between(before, batches_of(self.target)),
            "tree": watch.samples(),
        }


def check_beside(beside: Mapping[str, Beside]) -> None:
    """Whether what should run beside a load did.

    Raises:
        ScheduleMissedError: the generator could not send all of it.
        RuntimeError: less than half of its requests had a good answer, or none.
    """
    for name, each in beside.items():
        check_sent(each.errors, each.sent)
        failed = sum(each.errors.values())
        if not each.good or failed > each.good:
            told = f": {errors_line(each)}" if failed else ""
            raise RuntimeError(f"{name} beside it had {each.good} good answers to {each.sent} requests{told}")


def _length_s(load: Load) -> float | None:
    if load.duration_s is not None:
        return load.duration_s
    segments = getattr(load.arrivals, "segments", None)
    return sum(piece.duration_s for piece in segments()) if segments else None


def run_scenario(
    name: str,
    scenario: Scenario,
    targets: Mapping[str, Target],
    listener: Listener,
    *,
    side_by_side_servers: bool = False,
) -> Result:
    """Measure everything.

    Args:
        name: of the scenario.
        scenario: what to do.
        targets: every server that it names.
        listener: hears how it goes on.
        side_by_side_servers: start all servers once, instead of each anew for its turn while no other runs. Quicker,
            but what a server spends at rest is then taken from the one that is measured.

    Raises:
        ScheduleMissedError: the generator was late.
        RuntimeError: a server did not start, or answered nothing where a rate is a multiple of its answers.
    """
    nothing = nothing_measured(name, scenario, targets)
    runs: list[Run] = []
    started_s: dict[str, list[float]] = {target: [] for target in scenario.targets}
    left_out: dict[str, str] = {}
    with ExitStack() as kept:
        running: dict[str, RunningTarget] = {}
        for round_number in range(scenario.rounds):
            for target_name in scenario.targets:
                if target_name in left_out:
                    continue
                try:
                    with ExitStack() as turn:
                        if target_name not in running:
                            listener.starts(f"{target_name}: starting", 0, Progress())
                            stays = side_by_side_servers or len(scenario.targets) == 1
                            server = (kept if stays else turn).enter_context(targets[target_name].running())
                            started_s[target_name].append(server.start_s)
                            if stays:
                                running[target_name] = server
                        else:
                            server = running[target_name]
                        for run in _turn(scenario, target_name, server, round_number, listener):
                            runs.append(run)
                            listener.ended(run)
                except TargetMissingError as error:
                    left_out[target_name] = str(error)
    return nothing.model_copy(
        update={
            "targets": tuple(
                facts.model_copy(update={"start_s": tuple(started_s[facts.name])}) for facts in nothing.targets
            ),
            "left_out": left_out,
            "runs": tuple(runs),
            "outcomes": outcomes_of(scenario, runs, left_out),
        }
    )


def nothing_measured(name: str, scenario: Scenario, targets: Mapping[str, Target]) -> Result:
    """A result of now and here, without runs; arguments as those of `run_scenario`."""
    return Result(
        made_at=datetime.now(UTC),
        commit=checkout_commit(),
        versions=installed_versions(),
        machine=this_machine(),
        name=name,
        scenario=scenario.model_dump(mode="json"),
        targets=tuple(TargetFacts(name=target, about=targets[target].about) for target in scenario.targets),
        runs=(),
    )


def _turn(
    scenario: Scenario, target_name: str, server: RunningTarget, round_number: int, listener: Listener
) -> Iterator[Run]:
    """Every load on one server, once."""
    throughputs: dict[str, float] = {}
    for load_name, load in scenario.loads.items():
        if load.background:
            continue
        asked = Asked(scenario=scenario, target=server, seed=scenario.seed + round_number, throughputs=throughputs)
        progress = Progress()
        what = f"{target_name}: {load_name}" + (f", round {round_number + 1}" if scenario.rounds > 1 else "")
        listener.starts(what, (_length_s(load) or 0) + load.warm_s, progress)
        try:
            measured = asked.measured(load, progress)
        except (ScheduleMissedError, RuntimeError) as error:
            raise type(error)(f"{target_name}: {load_name}: {error}") from error
        run = Run(target=target_name, load=load_name, round=round_number, **measured)
        throughputs[load_name] = run.throughput_rps
        yield run
