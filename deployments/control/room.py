"""Who gets what there is: whether an endpoint fits, and which ones for experiments make room for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deployments.control.endpoint import Endpoint
from deployments.control.platform import EndpointSpec

SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Whether an endpoint can start.

    Attributes:
        reason: why it cannot yet; empty when it can.
        evicted: ids of endpoints that are to be paused for it.
        ever: whether it could if nothing else ran.
    """

    reason: str = ""
    evicted: tuple[str, ...] = ()
    ever: bool = True


def find_room(
    spec: EndpointSpec, running: Sequence[tuple[Endpoint, EndpointSpec]], capacity: Mapping[str, float]
) -> Room:
    """Room for one more endpoint, or one more revision of one.

    Args:
        spec: the newcomer.
        running: what takes resources already, itself included while it is being replaced; oldest first.
        capacity: what there is for all of them, under Ray's names.
    """
    wanted = needs(spec)
    if short := _short(wanted, capacity):
        return Room(reason=f"it asks for {short} in all than there is", ever=False)
    free = _minus(capacity, [needs(other) for _, other in running])
    if not _short(wanted, free):
        return Room()
    evicted: list[str] = []
    if not spec.machine_type.expires:
        for endpoint, other in reversed(running):
            if other.machine_type.expires and other.name != spec.name:
                evicted.append(endpoint.endpoint_id)
                free = _plus(free, needs(other))
                if not _short(wanted, free):
                    return Room(reason="endpoints for experiments are making room", evicted=tuple(evicted))
    return Room(reason=f"no room yet: it asks for {_short(wanted, free)} than is free")


def needs(spec: EndpointSpec) -> dict[str, float]:
    """What its replicas take at least, under Ray's names."""
    return {name: spec.min_replicas * amount for name, amount in spec.machine_type.resources().items()}


def _short(wanted: Mapping[str, float], there: Mapping[str, float]) -> str:
    return ", ".join(
        f"{amount - there.get(name, 0.0):g} {name} more"
        for name, amount in wanted.items()
        if amount > there.get(name, 0.0) + SLACK
    )


def _minus(there: Mapping[str, float], taken: Iterable[Mapping[str, float]]) -> dict[str, float]:
    left = dict(there)
    for amounts in taken:
        for name, amount in amounts.items():
            left[name] = left.get(name, 0.0) - amount
    return left


def _plus(there: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    return _minus(there, [{name: -amount for name, amount in given.items()}])
