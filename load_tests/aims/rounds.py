"""Measuring the aims in rounds, each group's on servers of its own; what is written down is not measured again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from load_tests.parts import Parts
from load_tests.progress import no_answer_line
from load_tests.results import Part, Result, write_result
from load_tests.runner import FAILURES, Listener, run_scenario
from load_tests.scenario import Scenario, find_scenario, read_scenario
from load_tests.started import ROOT
from load_tests.target import Target

PARTS_TIMEOUT_S = 600.0

Targets = Callable[[Scenario], Mapping[str, Target]]
"""Every server that a scenario may name."""


class Group(Part):
    """Aims that are measured together.

    Attributes:
        scenario: name of a shipped scenario.
        loads: those of its loads that are wanted; all when empty.
        parts: whether the work itself is measured beside it.
    """

    scenario: str
    loads: tuple[str, ...] = ()
    parts: bool = False


GROUPS: Mapping[str, Group] = {
    "plates": Group(scenario="baselines", parts=True),
    "reading": Group(scenario="reading", parts=True),
    "ragged": Group(scenario="ragged", loads=("ragged_peak",)),
    "overload": Group(scenario="overload", loads=("peak", "overload")),
    "churn": Group(scenario="churn"),
    "peer": Group(scenario="peer"),
    "light_peer": Group(scenario="peer", loads=("detect_peak",)),
}
PEER_GROUPS = ("peer", "light_peer")


class GroupRound(Part):
    """What one round of a group found.

    Attributes:
        parts: the work itself, measured just before.
    """

    result: Result
    parts: Parts | None = None


def scenario_of(group: Group) -> Scenario:
    """What is run in one round."""
    scenario = read_scenario(find_scenario(group.scenario))
    wanted = group.loads or tuple(scenario.loads)
    loads = {name: load for name, load in scenario.loads.items() if name in wanted}
    return scenario.model_copy(update={"rounds": 1, "loads": loads, "thresholds": ()})


def file_of(folder: Path, group: str, number: int) -> Path:
    """Where a round is written."""
    return folder / f"{group}-{number + 1}.json"


def read_rounds(folder: Path, group: str, rounds: int) -> list[GroupRound]:
    """The rounds of a group that are there, in order.

    Raises:
        ValueError: a file is no round.
    """
    paths = (file_of(folder, group, number) for number in range(rounds))
    return [GroupRound.model_validate_json(path.read_bytes()) for path in paths if path.is_file()]


def measure_rounds(
    folder: Path,
    groups: Sequence[str],
    rounds: int,
    targets: Mapping[str, Targets],
    listener: Listener,
    failed: Callable[[str], None],
) -> None:
    """Measure what is not measured yet: round by round, every group in each.

    Args:
        folder: for a file of each round.
        groups: names.
        rounds: how many each shall have.
        targets: group -> its servers.
        listener: hears how it goes on.
        failed: told of a round that could not be measured; asking again tries it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(rounds):
        for name in groups:
            path = file_of(folder, name, number)
            if path.exists():
                continue
            try:
                made = _measure(name, number, targets[name], listener)
            except FAILURES as error:
                failed(f"{name}, round {number + 1}: {error}")
                continue
            written = path.with_suffix(".part")
            write_result(made, written)
            written.rename(path)


def all_rounds(rounds: Sequence[GroupRound]) -> Result | None:
    """One result with the runs of all rounds; None without any."""
    if not rounds:
        return None
    runs = tuple(
        run.model_copy(update={"round": number}) for number, each in enumerate(rounds) for run in each.result.runs
    )
    return rounds[-1].result.model_copy(update={"runs": runs})


def _measure(name: str, number: int, targets: Targets, listener: Listener) -> GroupRound:
    group = GROUPS[name]
    scenario = scenario_of(group)
    scenario = scenario.model_copy(update={"seed": scenario.seed + number})
    parts = measured_parts() if group.parts else None
    result = run_scenario(name, scenario, targets(scenario), listener)
    if silent := result.silent:
        # Written down it would never be measured again, and there is nothing in it to compare with.
        raise RuntimeError("; ".join(map(no_answer_line, silent)))
    return GroupRound(result=result, parts=parts)


def measured_parts() -> Parts:
    """The work itself, in a process of its own.

    Raises:
        SubprocessError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "load_tests.parts"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        timeout=PARTS_TIMEOUT_S,
    )
    return Parts.model_validate_json(done.stdout)
