"""The aims: what is measured of a round, and what it shall be."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployments.settings import CoalescingLimits, RouterTuning
from load_tests.aims.rounds import GroupRound
from load_tests.results import LATENCIES, Metric, Run, Side, metric_of
from load_tests.scenario import OURS

ONE_PROCESS, STOCK, PEER = "one_process", "stock_serve", "peer"
CROPS_LOAD = "crops_peak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One figure and its limit.

    Attributes:
        says: the figure in words.
        group: what it is measured with.
        value: the figure of a round; None where the round does not tell.
        at_least: it shall not be less.
        at_most: it shall not be more.
        form: how it is printed.
    """

    says: str
    group: str
    value: Callable[[GroupRound], float | None]
    at_least: float | None = None
    at_most: float | None = None
    form: str = ".2f"

    @property
    def limit(self) -> str:
        """As a table says it."""
        if self.at_least is not None:
            return f">= {self.at_least:{self.form}}"
        return f"<= {self.at_most:{self.form}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An aim with its figures.

    Attributes:
        values: one of each round that tells.
    """

    aim: Aim
    values: tuple[float, ...]

    @property
    def median(self) -> float | None:
        """Of the rounds; None without any."""
        return statistics.median(self.values) if self.values else None

    @property
    def held(self) -> bool | None:
        """Whether the median is within the limit; None while nothing is measured."""
        if self.median is None:
            return None
        if self.aim.at_least is not None:
            return self.median >= self.aim.at_least
        return self.median <= (self.aim.at_most or 0)


def measured(aim: Aim, rounds: Sequence[GroupRound]) -> Measured:
    """An aim in the rounds of its group."""
    values = (aim.value(each) for each in rounds)
    return Measured(aim=aim, values=tuple(value for value in values if value is not None))


def compute_share(each: GroupRound) -> float | None:
    """CPU of the work when one process does each part once, of all CPU that the cluster spends on the same requests."""
    spent_ms = _metric(each, "cpu_ms", OURS, "peak")
    return sum(each.parts.cpu_ms.values()) / spent_ms if each.parts and spent_ms else None


def rest_ms(each: GroupRound) -> float | None:
    """CPU milliseconds of a request that are not the work itself."""
    spent_ms = _metric(each, "cpu_ms", OURS, "peak")
    return spent_ms - sum(each.parts.cpu_ms.values()) if each.parts and spent_ms else None


def added_latency(each: GroupRound) -> float | None:
    """What one client waits, in multiples of the models' and the codecs' own time."""
    waited_ms = _metric(each, "p50_ms", OURS, "one_client")
    return waited_ms / sum(each.parts.wall_ms.values()) if each.parts and waited_ms else None


def reading_share(each: GroupRound) -> float | None:
    """Crops a second through the cluster, of what the reader alone reads in batches."""
    requests_rps = _metric(each, "throughput_rps", OURS, CROPS_LOAD)
    if each.parts is None or requests_rps is None:
        return None
    return requests_rps * each.parts.crops / each.parts.crops_rps


def filled(queue: str, limits: CoalescingLimits, load: str) -> Callable[[GroupRound], float | None]:
    """Pieces of work in the calls of a queue of the router, of all that those calls may carry."""

    def value(each: GroupRound) -> float | None:
        run = _run(each, OURS, load)
        batches = run.batches.get(queue) if run else None
        return batches.items / (batches.calls * limits.max_batch_items) if batches else None

    return value


def ratio(
    metric: Metric, load: str, target: str, other_load: str | None = None
) -> Callable[[GroupRound], float | None]:
    """A metric of ours, divided by that of another server or load."""

    def value(each: GroupRound) -> float | None:
        above, below = _metric(each, metric, OURS, load), _metric(each, metric, target, other_load or load)
        return above / below if above is not None and below and math.isfinite(below) else None

    return value


def figure(metric: Metric, load: str) -> Callable[[GroupRound], float | None]:
    """A metric of ours as it is."""
    return lambda each: _metric(each, metric, OURS, load)


_TUNING = RouterTuning()
AIMS: tuple[Aim, ...] = (
    Aim(says="compute share, 16 clients", group="plates", value=compute_share, at_least=0.85),
    Aim(says="rest, CPU ms a request", group="plates", value=rest_ms, at_most=3.0, form=".1f"),
    Aim(says="throughput / one process", group="plates", value=ratio("throughput_rps", "peak", ONE_PROCESS),
        at_least=0.85),
    Aim(says="throughput / stock Serve", group="plates", value=ratio("throughput_rps", "peak", STOCK), at_least=3),
    Aim(says="one client: p50 / models, codecs", group="plates", value=added_latency, at_most=1.3),
    Aim(says="empty: throughput / stock Serve", group="plates", value=ratio("throughput_rps", "empty", STOCK),
        at_least=8),
    Aim(says="empty: throughput / bare uvicorn", group="plates", value=ratio("throughput_rps", "empty", ONE_PROCESS),
        at_least=0.5),
    Aim(says="16 crops at once / reader alone", group="reading", value=reading_share, at_least=0.9),
    Aim(says="16 crops: readers' calls filled", group="reading",
        value=filled("text_reader", _TUNING.text_reader, CROPS_LOAD), at_least=0.8),
    Aim(says="ragged: readers' calls filled", group="ragged",
        value=filled("text_reader", _TUNING.text_reader, "ragged_peak"), at_least=0.8),
    Aim(says="ragged: detectors' calls filled", group="ragged",
        value=filled("object_detector", _TUNING.object_detector, "ragged_peak"), at_least=0.8),
    Aim(says="overload: refusals, p99 ms", group="overload", value=figure("refusal_p99_ms", "overload"), at_most=20,
        form=".1f"),
    Aim(says="churn: p99 / without churn", group="churn",
        value=ratio("p99_ms", "churned", OURS, "still"), at_most=1.5),
    Aim(says="detector: throughput / peer, heavy", group="peer", value=ratio("throughput_rps", "detect_peak", PEER),
        at_least=1.7),
    Aim(says="tutorial: throughput / peer", group="peer", value=ratio("throughput_rps", "plates_peak", PEER),
        at_least=20, form=".1f"),
    Aim(says="detector: throughput / peer, light", group="light_peer",
        value=ratio("throughput_rps", "detect_peak", PEER), at_least=2.5),
)  # fmt: skip
"""In the order of the table."""


def _run(each: GroupRound, target: str, load: str) -> Run | None:
    return next(iter(each.result.of(Side(target=target, load=load))), None)


def _metric(each: GroupRound, metric: Metric, target: str, load: str) -> float | None:
    """A figure of a run; None where it was not run. Who gives no good answer lets wait for ever."""
    run = _run(each, target, load)
    if run is None:
        return None
    return math.inf if metric in LATENCIES and not run.good else metric_of(run, metric)
