"""What a load test found, as the JSON file says it.

A *result* holds *runs*: one target (a server, ours or a baseline) under one load (arrivals or clients), once. Targets
are run in turns, A B A B, and each turn is a *round*; comparisons are made within a round, so that what else the
machine does meets both alike, and are told as the median of the rounds with their range.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Literal[1] = 1

Metric = Literal[
    "p50_ms", "p90_ms", "p99_ms", "p999_ms", "throughput_rps", "goodput_rps", "cpu_ms", "error_share",
    "refusal_p99_ms", "peak_memory_mib",
]  # fmt: skip
"""What a threshold may be set on: `metric_of` says where each is found."""

LATENCIES: tuple[Metric, ...] = ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
UNSEEN = "the server's processes were not seen"


class Part(BaseModel):
    """A piece of a result: unknown keys are refused, so that an old reader does not misread a new file."""

    # A ratio to nothing is infinite, which plain JSON cannot say.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Machine(Part):
    """Where it was measured.

    Attributes:
        load_1m: load average of a minute, before the first run: how busy others kept the machine.
    """

    platform: str
    cpu: str
    cpus: int
    memory_gib: float
    load_1m: float


class Latency(Part):
    """Quantiles in milliseconds, of `count` requests; all 0 where there is none."""

    count: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


class Histogram(Part):
    """Latencies in buckets that grow by a constant ratio, so that each is known to the same share of itself.

    Attributes:
        first_ms: upper edge of bucket 0; all below lies in it.
        growth: upper edge of a bucket, divided by that of the bucket before.
        counts: bucket -> requests; empty ones are left out.
    """

    first_ms: float
    growth: float
    counts: dict[int, int]


class Second(Part):
    """One second of a run, by the time at which requests were meant to be sent.

    Attributes:
        at_s: where it begins.
        intended: requests that were due in it.
        good: of them, those answered as they should be.
        answered: answers of any kind that came in this second, whenever they were asked for.
        p50_ms: of the good ones and of those that got no answer at all, as `Run.latency`; 0 where there is none.
        p99_ms: the same.
        errors: kind -> requests, of those that were due in it.
    """

    at_s: float
    intended: int
    good: int
    answered: int
    p50_ms: float
    p99_ms: float
    errors: dict[str, int] = Field(default_factory=dict)


class TreeSample(Part):
    """The server's processes at one moment.

    Attributes:
        at_s: since the run began.
        processes: how many there are of each kind; of a deployment, its replicas.
        cpu_cores: CPU seconds a second since the sample before, of the whole tree.
        memory_mib: resident, of the whole tree; pages that are shared count in each.
    """

    at_s: float
    processes: dict[str, int]
    cpu_cores: float
    memory_mib: float


class Batches(Part):
    """Calls that a server made to replicas of a deployment, and the pieces of work in all of them."""

    calls: int
    items: int


class Beside(Part):
    """A background load while another one was measured.

    Attributes:
        sent: requests; those under way at the end are among neither of the others.
        good: of them, those answered as they should be.
        errors: kind -> the others that were settled.
    """

    sent: int
    good: int
    errors: dict[str, int] = Field(default_factory=dict)


class Run(Part):
    """One target under one load, once.

    Attributes:
        target: name of the server.
        load: name of the load within its scenario.
        round: which of the interleaved rounds, from 0.
        loop: `open` keeps to a schedule whatever the server does; `closed` waits for each answer.
        offered_rps: open loop: requests that were due, a second.
        concurrency: closed loop: clients.
        duration_s: from the first intended request to the last one's; the answers may come later.
        sent: requests.
        repeated: of them, those asked again on a fresh connection, since the server had closed the kept one meanwhile.
        good: requests answered with the expected status.
        in_time: of them, those within `slo_ms`; None in files that do not tell.
        throughput_rps: good answers a second, until sending ended or until the last of them, whichever is more.
        slo_ms: what goodput counts as in time; None when no objective was set.
        goodput_rps: good answers within `slo_ms`, a second; the throughput when there is no objective.
        latency: of good answers, from the INTENDED time of sending (closed loop: from the real one). Requests that
            timed out or were lost are among them, with the time until they were given up and no less than the slowest
            good answer; other answers, such as refusals, are not.
        service: of good answers, from the real time of sending.
        refusals: answers 429 and 503, from the intended time.
        histogram: of the good answers' latencies; `latency` counts those without an answer too.
        lateness: open loop: of all requests, how late the generator itself sent them.
        errors: kind -> requests: `status 500`, `timeout`, `connection refused`, `connection lost`, `wrong answer`.
        cpu_ms: kind of process -> CPU milliseconds for each answered request; ended processes are counted until
            the last sample. Empty when the target's processes are not known.
        server_timing_ms: part, such as `step_ocr.compute` -> mean over the answers that have `Server-Timing`.
        beside: background load -> what became of it.
        batches: queue of the router, such as `text_reader` -> its calls in this run, where the server tells.
        seconds: the run by seconds.
        tree: the server's processes over time.
    """

    target: str
    load: str
    round: int
    began_at: datetime
    loop: Literal["open", "closed"]
    offered_rps: float | None = None
    concurrency: int | None = None
    duration_s: float
    sent: int
    repeated: int = 0
    good: int
    in_time: int | None = None
    throughput_rps: float
    slo_ms: float | None = None
    goodput_rps: float
    latency: Latency
    service: Latency
    refusals: Latency
    histogram: Histogram
    lateness: Latency | None = None
    errors: dict[str, int] = Field(default_factory=dict)
    cpu_ms: dict[str, float] = Field(default_factory=dict)
    server_timing_ms: dict[str, float] = Field(default_factory=dict)
    beside: dict[str, Beside] = Field(default_factory=dict)
    batches: dict[str, Batches] = Field(default_factory=dict)
    seconds: tuple[Second, ...] = ()
    tree: tuple[TreeSample, ...] = ()


class Side(Part):
    """One side of a comparison: runs of this target under this load."""

    target: str
    load: str


class Ratio(Part):
    """A metric of one side divided by that of another, in each round.

    Attributes:
        to: the divisor; None for none, then the figures are the metric's own.
        rounds: the ratio in each round; what is divided by 0 is infinite, or 0 where both sides are.
        median: of the rounds.
    """

    metric: Metric
    of: Side
    to: Side | None
    rounds: tuple[float, ...]
    median: float
    lowest: float
    highest: float


class Outcome(Part):
    """A threshold of the scenario, and whether it held.

    Attributes:
        says: the threshold in words.
        ratio: what was measured; None when a side was not run, or has no such figure.
        held: None where nobody knows; where our own side has no figure, it did not hold.
        left_out: nobody knows because a target was left out, such as a baseline that is not installed.
        why: why there is no ratio.
    """

    says: str
    ratio: Ratio | None
    held: bool | None
    left_out: bool = False
    why: str = ""

    @property
    def failed(self) -> bool:
        """It did not hold, or nobody knows although everything was there to be measured."""
        return self.held is False or (self.held is None and not self.left_out)


class TargetFacts(Part):
    """What a target is: its name and one sentence; `start_s` from its command to its first answer, in each round."""

    name: str
    about: str
    start_s: tuple[float, ...] = ()


class Result(Part):
    """Everything that one command measured.

    Attributes:
        commit: of the checkout, with `+` behind it where files differ from it; `unknown` without git.
        versions: package -> version, `python` among them.
        scenario: the scenario as it was read, defaults filled in.
        left_out: target -> why it was not run.
    """

    format: Literal[1] = FORMAT
    made_at: datetime
    commit: str
    versions: dict[str, str]
    machine: Machine
    name: str
    scenario: dict[str, Any]
    targets: tuple[TargetFacts, ...]
    left_out: dict[str, str] = Field(default_factory=dict)
    runs: tuple[Run, ...]
    outcomes: tuple[Outcome, ...] = ()

    @property
    def silent(self) -> tuple[Run, ...]:
        """Runs without one good answer."""
        return tuple(run for run in self.runs if not run.good)

    def of(self, side: Side) -> tuple[Run, ...]:
        """Runs of one side, by round."""
        found = (run for run in self.runs if (run.target, run.load) == (side.target, side.load))
        return tuple(sorted(found, key=lambda run: run.round))


def why_unknown(run: Run, metric: Metric) -> str:
    """Why a run does not tell a metric; empty where it does."""
    if metric in (*LATENCIES, "cpu_ms", "error_share") and not run.sent:
        return "no request was sent"
    if metric in (*LATENCIES, "cpu_ms") and not run.good:
        return "no good answer"
    if metric == "refusal_p99_ms" and not run.refusals.count:
        return "no request was refused"
    if (metric == "cpu_ms" and not run.cpu_ms) or (metric == "peak_memory_mib" and not run.tree):
        return UNSEEN
    return ""


def metric_of(run: Run, metric: Metric) -> float | None:
    """The figure of a run that a metric's name stands for, None where it has none; CPU is of the whole tree, a request.

    A server that gives no good answer has no latency: not one of 0.
    """
    if why_unknown(run, metric):
        return None
    if metric in ("throughput_rps", "goodput_rps"):
        return float(getattr(run, metric))
    if metric == "cpu_ms":
        return sum(run.cpu_ms.values())
    if metric == "error_share":
        return sum(run.errors.values()) / run.sent
    if metric == "refusal_p99_ms":
        return run.refusals.p99_ms
    if metric == "peak_memory_mib":
        return max(sample.memory_mib for sample in run.tree)
    return float(getattr(run.latency, metric))


def ratio_of(runs: Sequence[Run], metric: Metric, of: Side, to: Side | None) -> Ratio | None:
    """Compare two sides round by round; None where no round tells both. Without `to`, the metric itself."""

    def by_round(side: Side) -> dict[int, float]:
        of_side = (run for run in runs if (run.target, run.load) == (side.target, side.load))
        told = {run.round: metric_of(run, metric) for run in of_side}
        return {number: value for number, value in sorted(told.items()) if value is not None}

    above = by_round(of)
    below = by_round(to) if to is not None else dict.fromkeys(above, 1.0)
    rounds = tuple(divided(above[number], below[number]) for number in above if number in below)
    if not rounds:
        return None
    median = statistics.median(rounds)
    return Ratio(metric=metric, of=of, to=to, rounds=rounds, median=median, lowest=min(rounds), highest=max(rounds))


def divided(above: float, below: float) -> float:
    """The ratio of two figures that are not below 0: infinite to nothing, and 0 of nothing to nothing."""
    if below:
        return above / below
    return math.inf if above else 0.0


def read_result(path: Path) -> Result:
    """A result file.

    Raises:
        ValueError: it is no result of this format (pydantic's error says where).
    """
    return Result.model_validate_json(path.read_bytes())


def write_result(result: BaseModel, path: Path) -> None:
    """Write what was measured as JSON; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
