"""When requests are due: constant, Poisson, ramp, step, and recorded traces."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

TIME_COLUMN = "at_s"
LONGEST_S = 7 * 24 * 3600
MOST_REQUESTS = 5_000_000
"""Of one load: each is kept until it ends, so that quantiles are of all of them."""

Rate = Annotated[float, Field(ge=0, le=1e6)]
Duration = Annotated[float, Field(gt=0, le=LONGEST_S)]


class ArrivalsError(ValueError):
    """Nothing can be sent on this schedule: no requests come of it, or too many."""


class TraceError(ArrivalsError):
    """A recorded trace cannot be read, or cannot be replayed."""


class Part(BaseModel):
    """A piece of a schedule; requests a second, which may stand for multiples of a measured rate."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Segment(Part):
    """A time in which the rate goes straight from one value to another."""

    from_rate: Rate
    to_rate: Rate
    duration_s: Duration


class _Steady(Part):
    """A rate that stays."""

    rate: Rate
    duration_s: Duration

    def segments(self) -> list[Segment]:
        """The schedule's one piece."""
        return [Segment(from_rate=self.rate, to_rate=self.rate, duration_s=self.duration_s)]


class Constant(_Steady):
    """The same gap between any two requests."""

    kind: Literal["constant"]


class Poisson(_Steady):
    """Requests that know nothing of each other: gaps are exponential, `rate` on average."""

    kind: Literal["poisson"]


class Ramp(Part):
    """A rate that grows or falls steadily."""

    kind: Literal["ramp"]
    from_rate: Rate
    to_rate: Rate
    duration_s: Duration
    spacing: Literal["even", "poisson"] = "poisson"

    def segments(self) -> list[Segment]:
        """The schedule's one piece."""
        return [Segment(from_rate=self.from_rate, to_rate=self.to_rate, duration_s=self.duration_s)]


class Stair(Part):
    """One level of a `step` schedule."""

    rate: Rate
    duration_s: Duration


class Step(Part):
    """Levels, one after another."""

    kind: Literal["step"]
    steps: Annotated[tuple[Stair, ...], Field(min_length=1)]
    spacing: Literal["even", "poisson"] = "poisson"

    def segments(self) -> list[Segment]:
        """One piece for each level."""
        return [Segment(from_rate=step.rate, to_rate=step.rate, duration_s=step.duration_s) for step in self.steps]


class Trace(Part):
    """Times that were recorded: CSV with a column `at_s`, or JSON lines with that key; seconds from any beginning.

    Attributes:
        path: the file, from the scenario's folder.
        speed: 2 replays it in half the time.
    """

    kind: Literal["trace"]
    path: Path
    speed: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0


Arrivals = Annotated[Constant | Poisson | Ramp | Step | Trace, Field(discriminator="kind")]


def due_times_s(
    arrivals: Constant | Poisson | Ramp | Step | Trace, *, unit_rps: float, seed: int
) -> NDArray[np.float64]:
    """When each request is due, in seconds from the beginning, rising.

    Args:
        arrivals: the schedule.
        unit_rps: what a rate of 1 stands for; 1 where rates are requests a second.
        seed: of what is drawn; the same gives the same times.

    Raises:
        ArrivalsError: the trace cannot be read, or there are too many requests.
    """
    if isinstance(arrivals, Trace):
        return read_trace(arrivals.path) / arrivals.speed
    even = isinstance(arrivals, Constant) or (isinstance(arrivals, Ramp | Step) and arrivals.spacing == "even")
    segments = arrivals.segments()
    total = _expected(segments) * unit_rps
    if total > MOST_REQUESTS:
        raise ArrivalsError(f"the schedule asks for {total:.3g} requests; {MOST_REQUESTS:,} are the most of one load")
    if even:
        # Half a request before the first: a rate of 1 for 3 s gives 3 requests, none on the border.
        marks = np.arange(math.floor(total + 0.5), dtype=np.float64) + 0.5
        marks = marks[marks < total]
    else:
        random = np.random.default_rng(seed)
        drawn = random.exponential(size=math.ceil(total + 10 * math.sqrt(total) + 10)).cumsum()
        marks = drawn[drawn < total]
    return _at_expected_counts(segments, marks, unit_rps)


def check_arrivals(arrivals: Constant | Poisson | Ramp | Step | Trace) -> None:
    """See beforehand whether there is something to send, and no more than can be counted.

    Raises:
        ArrivalsError: there is not; or the trace cannot be read, or takes more than a week.
    """
    if isinstance(arrivals, Trace):
        times = read_trace(arrivals.path)
        if times[-1] / arrivals.speed > LONGEST_S:
            raise TraceError(
                f"trace {arrivals.path.name}: takes {times[-1] / arrivals.speed:.3g} s at a speed of "
                f"{arrivals.speed:g}; {LONGEST_S:,} are the most"
            )
        return
    if not (total := _expected(arrivals.segments())):
        raise ArrivalsError("no requests come of arrivals with a rate of 0")
    if total > MOST_REQUESTS:
        raise ArrivalsError(f"the schedule asks for {total:.3g} requests; {MOST_REQUESTS:,} are the most of one load")


def _expected(segments: Sequence[Segment]) -> float:
    return sum((piece.from_rate + piece.to_rate) / 2 * piece.duration_s for piece in segments)


def _at_expected_counts(
    segments: Sequence[Segment], marks: NDArray[np.float64], unit_rps: float
) -> NDArray[np.float64]:
    """The times at which as many requests are expected as each mark says.

    Within a segment `n(t) = a t + (b - a) t^2 / 2 d`, solved for t in the form that does not divide by b - a.
    """
    times = np.empty_like(marks)
    began_s = expected = 0.0
    for piece in segments:
        first_rps, last_rps = piece.from_rate * unit_rps, piece.to_rate * unit_rps
        count = (first_rps + last_rps) / 2 * piece.duration_s
        here = (marks >= expected) & (marks < expected + count)
        wanted = marks[here] - expected
        slope = (last_rps - first_rps) / piece.duration_s
        root = np.sqrt(np.maximum(first_rps**2 + 2 * slope * wanted, 0.0))
        times[here] = began_s + 2 * wanted / (first_rps + root)
        expected += count
        began_s += piece.duration_s
    return times


def read_trace(path: Path) -> NDArray[np.float64]:
    """Recorded times, from the first of them, in order.

    Raises:
        TraceError: no such file, a line of it is no time, or there is no time between its first and its last request.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            read = _read_json_lines if path.suffix == ".jsonl" else _read_csv
            rows = itertools.islice(read(file), MOST_REQUESTS + 1)
            times = np.array(sorted(itertools.starmap(_time, rows)), dtype=np.float64)
    except OSError as error:
        raise TraceError(f"trace {path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TraceError(f"trace {path.name}: byte {error.start} is no UTF-8") from error
    except (TraceError, csv.Error) as error:
        raise TraceError(f"trace {path.name}: {error}") from error
    if len(times) > MOST_REQUESTS:
        raise TraceError(f"trace {path.name}: has more than {MOST_REQUESTS:,} requests, the most of one load")
    if not len(times):
        raise TraceError(f"trace {path.name}: has no requests")
    if times[0] == times[-1]:
        raise TraceError(
            f"trace {path.name}: its requests ({len(times)}) are due at one moment; there must be time between the "
            "first and the last"
        )
    since_first_s: NDArray[np.float64] = times - times[0]
    return since_first_s


def _read_json_lines(file: Iterator[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TraceError(f"line {number} is no JSON") from error
            yield number, row.get(TIME_COLUMN) if isinstance(row, dict) else None


def _read_csv(file: Iterator[str]) -> Iterator[tuple[int, object]]:
    for number, row in enumerate(csv.DictReader(file), 2):
        yield number, row.get(TIME_COLUMN)


def _time(number: int, value: object) -> float:
    try:
        time_s = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        time_s = math.nan
    if not math.isfinite(time_s):
        raise TraceError(f"line {number}: {TIME_COLUMN} is {value!r}; a number of seconds is needed")
    return time_s
