"""What was measured before a load failed, so that an hour is not lost with its last minute."""

from __future__ import annotations

from pathlib import Path

from load_tests.generator import Progress
from load_tests.results import Result, Run
from load_tests.runner import Listener


class RunKeeper:
    """Keeps every run that has ended, and passes on what it hears.

    Args:
        listener: hears it too.
        nothing: the result without any run.
    """

    def __init__(self, listener: Listener, nothing: Result) -> None:
        self.runs: list[Run] = []
        self._listener = listener
        self._nothing = nothing

    def starts(self, what: str, duration_s: float, progress: Progress) -> None:
        """Something begins."""
        self._listener.starts(what, duration_s, progress)

    def ended(self, run: Run) -> None:
        """A run is measured."""
        self.runs.append(run)
        self._listener.ended(run)

    def result(self, why: str) -> Result:
        """The runs so far as a result that says that it is partial, and why; it judges no threshold."""
        return self._nothing.model_copy(
            update={
                "name": f"{self._nothing.name} (partial)",
                "left_out": {"everything else": why},
                "runs": tuple(self.runs),
            }
        )


def partial_path(path: Path) -> Path:
    """Where a partial result is written whose whole would be at `path`: nobody is to take it for that."""
    return path.with_name(f"{path.stem}-partial{path.suffix}")
