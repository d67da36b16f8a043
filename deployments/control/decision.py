"""What to do about one endpoint: from what is wanted and what is there, without doing anything.

The same question has the same answer however often it is asked and whatever was done about it before, so a control
plane that is killed anywhere goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deployments.control.endpoint import Endpoint
from deployments.control.platform import EndpointSpec, Observation, Phase, RevisionState
from deployments.storage.tables import ActualState, DesiredState

START_TIMEOUT_S = 600.0


class CallKind(StrEnum):
    """A method of `EndpointPlatform`."""

    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the platform; `revision` is of meaning for RETIRE."""

    kind: CallKind
    revision: str = ""


STARTS = (CallKind.CREATE, CallKind.UPDATE, CallKind.RESUME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an endpoint is, and what is to be done.

    Attributes:
        actual: what it is.
        detail: why, for people.
        num_replicas: replicas that could answer.
        route: what the edge puts before a path; None when the endpoint answers nothing at the moment.
        calls: of the platform, in order; after all else has been noted.
        desired: another wish than the owner's: what expired is not to run on.
        args: other arguments than were asked for: the last good ones.
        good_args: arguments that have proven good.
        refused: why `args` are not those that were asked for.
        begins_anew: whether the time that it may take to start begins now.
    """

    actual: ActualState
    detail: str = ""
    num_replicas: int = 0
    route: str | None = None
    calls: tuple[Call, ...] = ()
    desired: DesiredState | None = None
    args: Mapping[str, Any] | None = None
    good_args: Mapping[str, Any] | None = None
    refused: str | None = None
    begins_anew: bool = False


def decide(
    endpoint: Endpoint,
    spec: EndpointSpec | None,
    observed: Observation | None,
    now_unix_s: float,
    *,
    start_timeout_s: float = START_TIMEOUT_S,
    since_unix_s: float = 0.0,
) -> Decision:
    """The next step of an endpoint.

    Args:
        endpoint: what is stored.
        spec: what it should be; None when its machine type is gone.
        observed: what is there; None when the platform knows nothing of it.
        now_unix_s: the time.
        start_timeout_s: how long a start may take.
        since_unix_s: since when anybody has looked after it; a machine that was off started nothing.
    """
    if endpoint.desired is DesiredState.DELETED:
        return _deleted(endpoint, observed)
    if endpoint.desired is DesiredState.PAUSED:
        return _paused(endpoint, observed)
    if endpoint.expires_unix_s is not None and now_unix_s >= endpoint.expires_unix_s:
        after = DesiredState.DELETED if endpoint.delete_on_expiration else DesiredState.PAUSED
        return Decision(actual=ActualState.EXPIRING, detail="its time is over", desired=after)
    if endpoint.actual is ActualState.FAILED:
        return Decision(actual=ActualState.FAILED, detail=endpoint.detail, calls=_suspend(observed))
    if spec is None:
        return _failed(observed, f"there is no machine type {endpoint.machine_type!r} any more")
    late = now_unix_s - max(endpoint.wanted_unix_s, since_unix_s) > start_timeout_s
    return _running(endpoint, spec, observed, late_after_s=start_timeout_s if late else None)


def _deleted(endpoint: Endpoint, observed: Observation | None) -> Decision:
    expires = endpoint.actual in (ActualState.EXPIRING, ActualState.EXPIRED)
    if observed is None:
        return Decision(actual=ActualState.DELETED, detail=endpoint.detail)
    ending = observed.revisions and not _live(observed)
    calls = () if ending else (Call(CallKind.DELETE),)
    interim = ActualState.EXPIRING if expires else ActualState.DELETING
    return Decision(actual=interim, detail=endpoint.detail, num_replicas=_replicas(observed), calls=calls)


def _paused(endpoint: Endpoint, observed: Observation | None) -> Decision:
    expires = endpoint.actual in (ActualState.EXPIRING, ActualState.EXPIRED)
    if observed is None or not observed.revisions:
        return Decision(actual=ActualState.EXPIRED if expires else ActualState.PAUSED, detail=endpoint.detail)
    return Decision(
        actual=ActualState.EXPIRING if expires else ActualState.PAUSING,
        detail=endpoint.detail,
        num_replicas=_replicas(observed),
        calls=_suspend(observed),
    )


def _running(
    endpoint: Endpoint, spec: EndpointSpec, observed: Observation | None, *, late_after_s: float | None
) -> Decision:
    revisions = {} if observed is None else observed.revisions
    wanted = revisions.get(spec.revision)
    others = {name: state for name, state in revisions.items() if name != spec.revision}
    if wanted is not None and wanted.phase is Phase.READY:
        return _ready(endpoint, spec, wanted, others)
    answering = next((state for state in others.values() if state.phase is Phase.READY), None)
    if wanted is not None and wanted.phase is Phase.FAILED:
        return _unfit(endpoint, spec, observed, answering, wanted.reason or "it does not start")
    vanished = endpoint.actual is ActualState.READY and not revisions
    if late_after_s is not None and not vanished:
        reason = (wanted.reason if wanted is not None else "") or endpoint.detail
        why = f"it was not ready after {late_after_s:g} s" + (f": {reason}" if reason else "")
        return _unfit(endpoint, spec, observed, answering, why)
    # What neither answers nor is wanted goes, so that two revisions are the most there ever are.
    calls = [
        Call(CallKind.RETIRE, name)
        for name, state in others.items()
        if state is not answering and state.phase is not Phase.STOPPING
    ]
    if wanted is None:
        calls.append(Call(_start_kind(observed)))
    if answering is not None:
        return Decision(
            actual=ActualState.READY,
            detail="a change is being rolled out",
            num_replicas=answering.num_replicas,
            route=answering.route,
            calls=tuple(calls),
        )
    detail = "" if wanted is None else wanted.reason
    replicas = 0 if wanted is None else wanted.num_replicas
    return Decision(
        actual=ActualState.PENDING, detail=detail, num_replicas=replicas, calls=tuple(calls), begins_anew=vanished
    )


def _ready(
    endpoint: Endpoint, spec: EndpointSpec, wanted: RevisionState, others: Mapping[str, RevisionState]
) -> Decision:
    calls = [Call(CallKind.RETIRE, name) for name, state in others.items() if state.phase is not Phase.STOPPING]
    if wanted.replicas != (spec.min_replicas, spec.max_replicas):
        calls.append(Call(CallKind.UPDATE))
    return Decision(
        actual=ActualState.READY,
        detail=endpoint.refused,
        num_replicas=wanted.num_replicas,
        route=wanted.route,
        calls=tuple(calls),
        good_args=None if endpoint.good_args == endpoint.args else endpoint.args,
    )


def _unfit(
    endpoint: Endpoint,
    spec: EndpointSpec,
    observed: Observation | None,
    answering: RevisionState | None,
    reason: str,
) -> Decision:
    """A revision that does not become ready: back to the last one that did, whether or not it runs at the moment."""
    if endpoint.good_args is None or endpoint.good_args == endpoint.args:
        return _failed(observed, reason)
    there = observed is not None and spec.revision in observed.revisions
    why = f"the last change was taken back: {reason}"
    return Decision(
        actual=ActualState.PENDING if answering is None else ActualState.READY,
        detail=why,
        num_replicas=0 if answering is None else answering.num_replicas,
        route=None if answering is None else answering.route,
        calls=(Call(CallKind.RETIRE, spec.revision),) if there else (),
        args=endpoint.good_args,
        refused=why,
    )


def _failed(observed: Observation | None, reason: str) -> Decision:
    return Decision(actual=ActualState.FAILED, detail=reason, calls=_suspend(observed))


def impossible(endpoint: Endpoint, decision: Decision, spec: EndpointSpec, reason: str) -> Decision:
    """Instead of a decision to start: what is asked for can never be had."""
    if decision.route is None:
        return Decision(actual=ActualState.FAILED, detail=reason)
    why = f"the last change was taken back: {reason}"
    good = endpoint.args if endpoint.good_args is None else endpoint.good_args
    return Decision(
        actual=ActualState.READY,
        detail=why,
        num_replicas=decision.num_replicas,
        route=decision.route,
        args=good,
        refused=why,
    )


def waiting(decision: Decision, reason: str) -> Decision:
    """Instead of a decision to start: there is no room yet."""
    return Decision(
        actual=decision.actual,
        detail=reason,
        num_replicas=decision.num_replicas,
        route=decision.route,
        calls=tuple(call for call in decision.calls if call.kind not in STARTS),
    )


def _start_kind(observed: Observation | None) -> CallKind:
    if observed is None:
        return CallKind.CREATE
    return CallKind.UPDATE if observed.revisions else CallKind.RESUME


def _live(observed: Observation) -> bool:
    return any(state.phase is not Phase.STOPPING for state in observed.revisions.values())


def _suspend(observed: Observation | None) -> tuple[Call, ...]:
    return (Call(CallKind.SUSPEND),) if observed is not None and _live(observed) else ()


def _replicas(observed: Observation) -> int:
    return sum(state.num_replicas for state in observed.revisions.values())
