"""The highest arrival rate at which an objective holds: doubling until it breaks, then halving the gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LOWEST_RPS = 0.05
HIGHEST_RPS = 50_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One rate that was tried.

    Attributes:
        rate_rps: arrivals a second.
        held: whether the objective was met; None when nobody knows, since requests were not sent when they were due.
    """

    rate_rps: float
    held: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found.

    Attributes:
        rate_rps: the highest rate that held; 0 when none did.
        broke_rps: the lowest rate above it that was tried, where the objective was not met; None when none was reached.
        unknown_rps: the same rate where nobody knows, so that the server may carry more; None when it was met or not.
        probes: in the order of trying.
    """

    rate_rps: float
    broke_rps: float | None
    unknown_rps: float | None
    probes: tuple[Probe, ...]


def highest_rate(
    holds: Callable[[float], bool | None], first_rps: float, *, precision: float = 0.05, tries: int = 2
) -> Found:
    """Search for it.

    Args:
        holds: whether the objective is met at a rate, None when that is not known; asked again where it is not met or
            not known, since what else a machine does can spoil one probe, and cannot make one hold.
        first_rps: where to begin.
        precision: how far apart, as a share, the two rates of the answer may be.
        tries: how often a rate is asked before it counts as broken, or as not known.
    """
    probes: list[Probe] = []

    def held(rate_rps: float) -> bool | None:
        """None where any of the tries is not known: what held them up may have spoilt the others."""
        said: list[bool | None] = []
        for _ in range(tries):
            said.append(holds(rate_rps))
            probes.append(Probe(rate_rps=rate_rps, held=said[-1]))
            if said[-1]:
                return True
        return None if None in said else False

    low, high, is_known = 0.0, None, True
    rate_rps = first_rps
    while LOWEST_RPS <= rate_rps <= HIGHEST_RPS:
        if answer := held(rate_rps):
            low = rate_rps
            if high is not None:
                break
            rate_rps *= 2
        else:
            high, is_known = rate_rps, answer is not None
            if low:
                break
            rate_rps /= 2
    if low and high is not None:
        while high / low > 1 + precision:
            middle = (low + high) / 2
            if answer := held(middle):
                low = middle
            else:
                high, is_known = middle, answer is not None
    return Found(
        rate_rps=low,
        broke_rps=high if is_known else None,
        unknown_rps=None if is_known else high,
        probes=tuple(probes),
    )
