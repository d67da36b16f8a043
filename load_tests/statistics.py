"""From the log of a run to its figures. Quantiles are of all samples, not of a sketch of them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from load_tests.generator import Log
from load_tests.http_connection import NOT_SENT
from load_tests.results import Histogram, Latency, Second

FIRST_MS = 0.01
GROWTH = 1.01
GOOD_STATUS = 200
REFUSED_STATUSES = (429, 503)

LATENESS_P99_MS = 25.0
"""How late the generator may send: 1 request in 100 later than this, and the figures are the generator's own."""

_TIMING = re.compile(r"([^\s;,]+)\s*;[^,]*?dur=([0-9.]+)")


class ScheduleMissedError(RuntimeError):
    """The generator could not send on time, so that nothing may be said of the server."""


def latency_of(taken_s: NDArray[np.float64]) -> Latency:
    """Quantiles of some times.

    Args:
        taken_s: (n,); may be empty.
    """
    if not len(taken_s):
        return Latency(count=0, mean_ms=0, p50_ms=0, p90_ms=0, p99_ms=0, p999_ms=0, max_ms=0)
    p50, p90, p99, p999 = np.quantile(taken_s, (0.5, 0.9, 0.99, 0.999)) * 1000
    return Latency(
        count=len(taken_s),
        mean_ms=float(taken_s.mean() * 1000),
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        p999_ms=float(p999),
        max_ms=float(taken_s.max() * 1000),
    )


def histogram_of(taken_s: NDArray[np.float64]) -> Histogram:
    """Times by buckets of 1 %.

    Args:
        taken_s: (n,); may be empty.
    """
    with np.errstate(divide="ignore"):
        buckets = np.ceil(np.log(taken_s * 1000 / FIRST_MS) / math.log(GROWTH))
    numbers, counts = np.unique(np.maximum(buckets, 0).astype(int), return_counts=True)
    return Histogram(first_ms=FIRST_MS, growth=GROWTH, counts=dict(zip(numbers.tolist(), counts.tolist(), strict=True)))


def lateness_of(log: Log) -> Latency | None:
    """How late the generator sent what it sent; None for a closed loop, which has no schedule."""
    if log.loop == "closed":
        return None
    late_s = log.sent_s - log.intended_s
    return latency_of(late_s[np.isfinite(late_s)])


def check_schedule(log: Log, allowed_p99_ms: float = LATENESS_P99_MS) -> Latency | None:
    """How late the generator sent, as long as it may be believed; None for a closed loop, which has no schedule.

    Either loop must have sent all its requests: where it ran out of files or ports, the errors are its own.

    Raises:
        ScheduleMissedError: it was too late too often, or did not send all.
    """
    check_sent(Counter(log.failures.values()), len(log.intended_s))
    late = lateness_of(log)
    if late is not None and late.p99_ms > allowed_p99_ms:
        raise ScheduleMissedError(
            f"the generator sent 1 % of its requests more than {late.p99_ms:.0f} ms late ({allowed_p99_ms:g} ms are "
            "allowed), so these would be figures of the generator, not of the server: lower the rate, use a quieter "
            "machine, or run the generator on another one with --url"
        )
    return late


def check_sent(errors: Mapping[str, int], requests: int) -> None:
    """Refuse what the generator itself could not send.

    Raises:
        ScheduleMissedError: it did not send all.
    """
    unsent = {kind: count for kind, count in errors.items() if kind.startswith(NOT_SENT)}
    if unsent:
        raise ScheduleMissedError(
            f"{sum(unsent.values())} of {requests} requests were not sent: {next(iter(unsent))[len(NOT_SENT) :]}; "
            "lower the rate, the clients or the timeout"
        )


def summary_of(log: Log, slo_ms: float | None) -> dict[str, Any]:
    """The fields of a `Run` that its log tells.

    Args:
        log: of the run.
        slo_ms: answers later than this are no goodput; None for no objective.
    """
    good = log.status == GOOD_STATUS
    refused = np.isin(log.status, REFUSED_STATUSES)
    taken_s = log.done_s - log.intended_s
    waited_s = waited_s_of(log)
    in_time = good if slo_ms is None else good & (taken_s * 1000 <= slo_ms)
    counted, elapsed_s = counted_for_rates(log)
    return {
        "loop": log.loop,
        "offered_rps": len(good) / max(log.duration_s, 1e-9) if log.loop == "open" else None,
        "concurrency": log.concurrency,
        "duration_s": log.duration_s,
        "sent": len(good),
        "repeated": log.repeated,
        "good": int(good.sum()),
        "in_time": int(in_time.sum()),
        "throughput_rps": counted.sum() / elapsed_s,
        "slo_ms": slo_ms,
        "goodput_rps": (counted & in_time).sum() / elapsed_s,
        "latency": latency_of(waited_s[~np.isnan(waited_s)]),
        "service": latency_of((log.done_s - log.sent_s)[good]),
        "refusals": latency_of(taken_s[refused]),
        "histogram": histogram_of(taken_s[good]),
        "errors": errors_by_kind(log),
        "server_timing_ms": server_timing_ms(log.server_timings),
        "seconds": by_seconds(log),
    }


def waited_s_of(log: Log) -> NDArray[np.float64]:
    """How long each request waited for a good answer; NaN of those that got another answer.

    A request without any answer, one that timed out or was lost, waited at least until it was given up. Nobody knows
    how much longer it would have been, and a server must not look quicker for losing it early: it counts with the time
    it took, and with no less than the slowest good answer. So a stall longer than the timeout stays in the quantiles.

    Returns:
        (n,) seconds from the intended time of sending.
    """
    waited_s = log.done_s - log.intended_s
    good = log.status == GOOD_STATUS
    unanswered = log.status == 0
    waited_s[unanswered] = np.maximum(waited_s[unanswered], waited_s[good].max(initial=0.0))
    waited_s[~good & ~unanswered] = np.nan
    return waited_s


def counted_for_rates(log: Log) -> tuple[NDArray[np.bool_], float]:
    """Good answers that rates count, and the seconds in which they came.

    Those until sending ended, or all until the last good answer, whichever are more a second: a single request that is
    stuck divides nothing, and slow answers to clients that wait are not cut off.

    Returns:
        (n,) bool, and seconds above 0.
    """
    good = log.status == GOOD_STATUS
    sending_s = max(log.duration_s, 1e-9)
    all_s = max(sending_s, float(log.done_s[good].max(initial=0.0)))
    while_sending = good & (log.done_s <= sending_s)
    if while_sending.sum() / sending_s >= good.sum() / all_s:
        return while_sending, sending_s
    return good, all_s


def errors_by_kind(log: Log) -> dict[str, int]:
    """Kind -> requests that were not answered as they should be."""
    return dict(Counter(kinds_of_error(log).values()))


def kinds_of_error(log: Log) -> dict[int, str]:
    """Row -> what is wrong with it, of the requests that were not answered as they should be."""
    rows = np.flatnonzero((log.status != 0) & (log.status != GOOD_STATUS)).tolist()
    return {row: f"status {log.status[row]}" for row in rows} | log.failures


def by_seconds(log: Log) -> tuple[Second, ...]:
    """The run by the seconds in which requests were due, and after them those in which answers still came."""
    good = log.status == GOOD_STATUS
    due = np.floor(log.intended_s).astype(int)
    ended = np.floor(log.done_s[log.status != 0]).astype(int)
    waited_s = waited_s_of(log)
    told = []
    kinds = kinds_of_error(log)
    bad: dict[int, Counter[str]] = {}
    for row, kind in kinds.items():
        bad.setdefault(int(due[row]), Counter())[kind] += 1
    for second in range(max(due.max(initial=-1), ended.max(initial=-1)) + 1):
        here = due == second
        waited = latency_of(waited_s[here & ~np.isnan(waited_s)])
        told.append(
            Second(
                at_s=second,
                intended=int(here.sum()),
                good=int((here & good).sum()),
                answered=int((ended == second).sum()),
                p50_ms=waited.p50_ms,
                p99_ms=waited.p99_ms,
                errors=dict(bad.get(second, {})),
            )
        )
    return tuple(told)


def server_timing_ms(headers: Iterable[str]) -> dict[str, float]:
    """Part -> mean over the headers that name any; a part that one of them lacks took no time there.

    So the parts of a mean request add up, also where some requests skip a step.

    Source: W3C Server Timing, https://www.w3.org/TR/server-timing/
    """
    totals: dict[str, float] = {}
    timed = 0
    for header in headers:
        parts = _TIMING.findall(header)
        timed += bool(parts)
        for name, duration in parts:
            totals[name] = totals.get(name, 0.0) + float(duration)
    return {name: total / timed for name, total in totals.items()}
