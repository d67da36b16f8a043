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
        held: whether the objective was met.
    """

    rate_rps: float
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found.

    Attributes:
        rate_rps: the highest rate that held; 0 when none did.
        broke_rps: the lowest rate above it that did not; None when none was reached.
        probes: in the order of trying.
    """

    rate_rps: float
    broke_rps: float | None
    probes: tuple[Probe, ...]


def highest_rate(holds: Callable[[float], bool], first_rps: float, *, precision: float = 0.05, tries: int = 2) -> Found:
    """Search for it.

    Args:
        holds: whether the objective is met at a rate; asked again where it is not, since what else a machine does
            can break one probe, and cannot make one hold.
        first_rps: where to begin.
        precision: how far apart, as a share, the two rates of the answer may be.
        tries: how often a rate is asked before it counts as broken.
    """
    probes: list[Probe] = []

    def held(rate_rps: float) -> bool:
        for _ in range(tries):
            probes.append(Probe(rate_rps=rate_rps, held=holds(rate_rps)))
            if probes[-1].held:
                return True
        return False

    low, high = 0.0, None
    rate_rps = first_rps
    while LOWEST_RPS <= rate_rps <= HIGHEST_RPS:
        if held(rate_rps):
            low = rate_rps
            if high is not None:
                break
            rate_rps *= 2
        else:
            high = rate_rps
            if low:
                break
            rate_rps /= 2
    if low and high is not None:
        while high / low > 1 + precision:
            middle = (low + high) / 2
            if held(middle):
                low = middle
            else:
                high = middle
    return Found(rate_rps=low, broke_rps=high, probes=tuple(probes))
