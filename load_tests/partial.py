"""What was measured before a load failed, so that an hour is not lost with its last minute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from load_tests.generator import Progress
from load_tests.machine import checkout_commit, installed_versions, this_machine
from load_tests.results import Result, Run, TargetFacts
from load_tests.runner import Listener
from load_tests.scenario import Scenario
from load_tests.target import Target


class RunKeeper:
    """Keeps every run that has ended, and passes on what it hears.

    Args:
        listener: hears it too.
    """

    def __init__(self, listener: Listener) -> None:
        self.runs: list[Run] = []
        self._listener = listener
        self._made_at, self._machine = datetime.now(UTC), this_machine()

    def starts(self, what: str, duration_s: float, progress: Progress) -> None:
        """Something begins."""
        self._listener.starts(what, duration_s, progress)

    def ended(self, run: Run) -> None:
        """A run is measured."""
        self.runs.append(run)
        self._listener.ended(run)

    def result(self, name: str, scenario: Scenario, targets: Mapping[str, Target], why: str) -> Result:
        """The runs so far as a result that says that it is partial, and judges no threshold.

        Args:
            name: of the scenario.
            scenario: what was to be done.
            targets: every server that it names.
            why: it went no further.
        """
        return Result(
            made_at=self._made_at,
            commit=checkout_commit(),
            versions=installed_versions(),
            machine=self._machine,
            name=f"{name} (partial)",
            scenario=scenario.model_dump(mode="json"),
            targets=tuple(TargetFacts(name=target, about=targets[target].about) for target in scenario.targets),
            left_out={"everything else": why},
            runs=tuple(self.runs),
        )


def partial_path(path: Path) -> Path:
    """Where a partial result is written whose whole would be at `path`: nobody is to take it for that."""
    return path.with_name(f"{path.stem}-partial{path.suffix}")
