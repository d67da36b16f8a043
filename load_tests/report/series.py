"""What is drawn as one line: the rounds of one side, second by second."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from load_tests.cpu_accounting import is_replica
from load_tests.results import Run

Points = Mapping[int, float]
"""Second of a run -> value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Runs that are drawn as one line.

    Attributes:
        label: as the legend says it.
        colour: `#rrggbb`.
        runs: the rounds; at least one.
    """

    label: str
    colour: str
    runs: tuple[Run, ...]

    def over_time(self, value: Callable[[Run], Points]) -> tuple[Points, Points, Points]:
        """Median, lowest and highest of the rounds in each second that any of them has."""
        rounds = [value(run) for run in self.runs]
        seconds = sorted({second for points in rounds for second in points})
        told = {second: [points[second] for points in rounds if second in points] for second in seconds}
        return (
            {second: statistics.median(values) for second, values in told.items()},
            {second: min(values) for second, values in told.items()},
            {second: max(values) for second, values in told.items()},
        )

    def cumulated(self) -> tuple[list[float], list[float]]:
        """Latencies in milliseconds, rising, and the share of all rounds' requests that were answered within each.

        Of the requests with a good answer or none: where some got none, the shares end below 1.
        """
        counts: dict[float, int] = {}
        for run in self.runs:
            for bucket, count in run.histogram.counts.items():
                edge_ms = run.histogram.first_ms * run.histogram.growth**bucket
                counts[edge_ms] = counts.get(edge_ms, 0) + count
        edges_ms = sorted(counts)
        total = max(sum(run.latency.count for run in self.runs), sum(counts.values()))
        so_far, shares = 0, []
        for edge_ms in edges_ms:
            so_far += counts[edge_ms]
            shares.append(so_far / total)
        return edges_ms, shares

    def errors_by_second(self) -> dict[str, dict[int, float]]:
        """Kind -> second -> requests, the mean of the rounds."""
        kinds: dict[str, dict[int, float]] = {}
        for run in self.runs:
            for second in run.seconds:
                for kind, count in second.errors.items():
                    of_kind = kinds.setdefault(kind, {})
                    of_kind[int(second.at_s)] = of_kind.get(int(second.at_s), 0.0) + count / len(self.runs)
        return kinds

    def replicas(self) -> dict[str, Points]:
        """Deployment -> second -> replicas that were running, the median of the rounds."""
        names = {kind for run in self.runs for sample in run.tree for kind in sample.processes if is_replica(kind)}
        return {name: self.over_time(_processes_of(name))[0] for name in sorted(names)}

    def parts_ms(self) -> dict[tuple[str, str], float]:
        """(step, part) -> milliseconds of a mean request, the median of the rounds; what no step accounts for is rest.

        Steps that run side by side may add up to more than the request took; then there is no rest.
        """
        names = list(dict.fromkeys(name for run in self.runs for name in run.server_timing_ms))
        if not names:
            return {}
        parts = {name: statistics.median(run.server_timing_ms.get(name, 0.0) for run in self.runs) for name in names}
        taken_ms = statistics.median(run.service.mean_ms for run in self.runs)
        told = {_step_and_part(name): part_ms for name, part_ms in parts.items()}
        return told | {REST: max(taken_ms - sum(parts.values()), 0.0)}


REST = ("", "rest")
"""The part of a request that `Server-Timing` does not name: HTTP, JSON, decoding, and the wire."""


def answered(run: Run) -> Points:
    """Answers of any kind that came in each whole second."""
    # The second in which the last answer came is no whole one.
    return {int(second.at_s): float(second.answered) for second in run.seconds[:-1] or run.seconds}


def intended(run: Run) -> Points:
    """Requests that were due in each second, of an open loop."""
    if run.loop == "closed":
        return {}
    return {int(second.at_s): float(second.intended) for second in run.seconds if second.at_s < run.duration_s}


def p99_ms(run: Run) -> Points:
    """99th percentile of what was due in each second and got a good answer, or none at all."""
    return {int(second.at_s): second.p99_ms for second in run.seconds if second.p99_ms}


def cpu_cores(run: Run) -> Points:
    """Cores that the whole process tree kept busy."""
    return {math.floor(sample.at_s): sample.cpu_cores for sample in run.tree}


def of_each(runs: Sequence[Run], load: str) -> dict[str, tuple[Run, ...]]:
    """Target -> its runs under a load, by round."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if run.load == load:
            found.setdefault(run.target, []).append(run)
    return {target: tuple(sorted(of_target, key=lambda run: run.round)) for target, of_target in found.items()}


def _processes_of(name: str) -> Callable[[Run], Points]:
    return lambda run: {math.floor(sample.at_s): float(sample.processes.get(name, 0)) for sample in run.tree}


def _step_and_part(name: str) -> tuple[str, str]:
    step, _, part = name.rpartition(".")
    return step, part
