"""Endpoints: what is wanted of each, and what each is.

Two sides write to a row and do not tread on one another: the owner's requests change what is wanted and add one to
`generation`; the control plane, which reconciles, moves `actual` from a state it has seen to the next one. Every change
leaves an event.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from deployments.storage.errors import NameTakenError, NotStoredError, StateChangedError
from deployments.storage.events import add_event
from deployments.storage.tables import ActualState, DesiredState, EndpointRow
from deployments.storage.workspaces import ensure_workspace

SUFFIX_TRIES = 20
SUFFIX_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """What a new endpoint shall be.

    Attributes:
        workspace: its owner.
        name: unique among those of the owner that are not deleted.
        machine_type: what its replicas run on.
        creator_email: who asked for it.
        inference_version: as the client asked.
        min_replicas: fewest replicas of its heavy deployments.
        max_replicas: most of them.
        duration_h: hours until it expires; of no meaning without `expires`.
        expires: whether it does.
        delete_on_expiration: whether it is deleted then, rather than kept as expired.
        spec: what else it serves with: models, args.
    """

    workspace: str
    name: str
    machine_type: str
    creator_email: str
    inference_version: str = "latest"
    min_replicas: int = 1
    max_replicas: int = 1
    duration_h: float = 3.0
    expires: bool = True
    delete_on_expiration: bool = True
    spec: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint as it was when it was read; fields as in `EndpointRow`."""

    endpoint_id: str
    workspace: str
    name: str
    subdomain: str
    machine_type: str
    creator_email: str
    inference_version: str
    min_replicas: int
    max_replicas: int
    duration_h: float
    delete_on_expiration: bool
    spec: dict[str, Any]
    desired: DesiredState
    actual: ActualState
    detail: str
    num_replicas: int
    generation: int
    observed_generation: int
    created_unix_s: float
    changed_unix_s: float
    expires_unix_s: float | None
    deleted_unix_s: float | None


def create_endpoint(session: Session, new: NewEndpoint, *, now_unix_s: float) -> Endpoint:
    """A new endpoint, to be started. Its subdomain is its name, with a suffix where another workspace has that one.

    Raises:
        NameTakenError: the workspace has one of this name.
        InvalidNameError: no name for a workspace.
    """
    ensure_workspace(session, new.workspace, now_unix_s=now_unix_s)
    for attempt in range(SUFFIX_TRIES):
        subdomain = new.name if attempt == 0 else f"{new.name}-{secrets.token_hex(SUFFIX_BYTES)}"
        row = EndpointRow(
            endpoint_id=secrets.token_hex(16),
            workspace=new.workspace,
            name=new.name,
            subdomain=subdomain,
            machine_type=new.machine_type,
            creator_email=new.creator_email,
            inference_version=new.inference_version,
            min_replicas=new.min_replicas,
            max_replicas=new.max_replicas,
            duration_h=new.duration_h,
            delete_on_expiration=new.delete_on_expiration,
            spec=new.spec,
            desired=DesiredState.RUNNING,
            actual=ActualState.PENDING,
            detail="",
            num_replicas=0,
            generation=1,
            observed_generation=0,
            created_unix_s=now_unix_s,
            changed_unix_s=now_unix_s,
            expires_unix_s=now_unix_s + new.duration_h * 3600 if new.expires else None,
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            if find_endpoint(session, new.workspace, new.name) is not None:
                raise NameTakenError(
                    f"the workspace {new.workspace} has an endpoint {new.name!r} already; delete it, or take another "
                    "name"
                ) from None
            continue
        add_event(session, row.endpoint_id, f"created on {new.machine_type}", now_unix_s=now_unix_s)
        return _endpoint(row)
    raise NameTakenError(f"no subdomain is free for {new.name!r}; take another name")


def get_endpoint(session: Session, endpoint_id: str) -> Endpoint:
    """An endpoint by its id, deleted ones too.

    Raises:
        NotStoredError: there is none.
    """
    row = session.get(EndpointRow, endpoint_id)
    if row is None:
        raise _unknown(endpoint_id)
    return _endpoint(row)


def find_endpoint(session: Session, workspace: str, name: str) -> Endpoint | None:
    """The endpoint of a workspace that has this name and is not deleted."""
    query = select(EndpointRow).where(
        EndpointRow.workspace == workspace, EndpointRow.name == name, EndpointRow.deleted_unix_s.is_(None)
    )
    row = session.scalars(query).one_or_none()
    return None if row is None else _endpoint(row)


def list_endpoints(session: Session, workspace: str | None = None, *, deleted: bool = False) -> list[Endpoint]:
    """Endpoints of a workspace, or of all; in the order they were made.

    Args:
        session: of a transaction.
        workspace: whose; None for everybody's.
        deleted: whether deleted ones are among them.
    """
    query = select(EndpointRow).order_by(EndpointRow.created_unix_s, EndpointRow.endpoint_id)
    if workspace is not None:
        query = query.where(EndpointRow.workspace == workspace)
    if not deleted:
        query = query.where(EndpointRow.deleted_unix_s.is_(None))
    return [_endpoint(row) for row in session.scalars(query)]


def change_wanted(
    session: Session,
    endpoint_id: str,
    *,
    now_unix_s: float,
    desired: DesiredState | None = None,
    min_replicas: int | None = None,
    max_replicas: int | None = None,
    spec: dict[str, Any] | None = None,
    expires_unix_s: float | None = None,
) -> Endpoint:
    """Change what is wanted of an endpoint; what is None stays. `generation` grows only when something changed.

    Raises:
        NotStoredError: there is no such endpoint, or it is deleted or about to be.
    """
    row = _locked(session, endpoint_id)
    if row.deleted_unix_s is not None or (row.desired is DesiredState.DELETED and desired is not DesiredState.DELETED):
        raise NotStoredError(f"the endpoint {row.name!r} is deleted; create another one")
    asked = {
        "desired": desired,
        "min_replicas": min_replicas,
        "max_replicas": max_replicas,
        "spec": spec,
        "expires_unix_s": expires_unix_s,
    }
    changes = {key: value for key, value in asked.items() if value is not None and getattr(row, key) != value}
    if not changes:
        return _endpoint(row)
    for key, value in changes.items():
        setattr(row, key, value)
    row.generation += 1
    row.changed_unix_s = now_unix_s
    told = ", ".join(f"{key}={value}" for key, value in changes.items() if key not in ("spec", "expires_unix_s"))
    add_event(session, endpoint_id, f"wanted: {told or ', '.join(changes)}", now_unix_s=now_unix_s)
    return _endpoint(row)


def transition(
    session: Session,
    endpoint_id: str,
    *,
    seen: Collection[ActualState],
    to: ActualState,
    now_unix_s: float,
    detail: str = "",
    num_replicas: int | None = None,
    observed_generation: int | None = None,
) -> Endpoint:
    """Move an endpoint from one of the states in `seen` to another; to the state it has is no event.

    Args:
        session: of a writing transaction, of the one who holds the lease (`leases.fenced`).
        endpoint_id: which.
        seen: states that the caller's decision holds for.
        to: the next state; `DELETED` frees its name and its subdomain.
        now_unix_s: when.
        detail: why, for its owner.
        num_replicas: how many replicas answer now; None leaves the number.
        observed_generation: `generation` that this state is the answer to; None leaves it.

    Raises:
        StateChangedError: it is in another state.
        NotStoredError: there is no such endpoint.
    """
    row = _locked(session, endpoint_id)
    if row.actual not in seen:
        expected = " or ".join(sorted(seen))
        raise StateChangedError(f"the endpoint {row.name!r} is {row.actual}, no longer {expected}; read it again")
    if num_replicas is not None:
        row.num_replicas = num_replicas
    if observed_generation is not None:
        row.observed_generation = observed_generation
    if row.actual is not to or row.detail != detail:
        before = row.actual
        row.actual, row.detail, row.changed_unix_s = to, detail, now_unix_s
        if to is ActualState.DELETED:
            row.deleted_unix_s = now_unix_s
        severity = "ERROR" if to is ActualState.FAILED else "INFO"
        why = f": {detail}" if detail else ""
        add_event(session, endpoint_id, f"{before} -> {to}{why}", severity=severity, now_unix_s=now_unix_s)
    return _endpoint(row)


def note_replicas(session: Session, endpoint_id: str, num_replicas: int) -> None:
    """Write down how many replicas answer now.

    Raises:
        NotStoredError: there is no such endpoint.
    """
    _locked(session, endpoint_id).num_replicas = num_replicas


def _locked(session: Session, endpoint_id: str) -> EndpointRow:
    query = select(EndpointRow).where(EndpointRow.endpoint_id == endpoint_id).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise _unknown(endpoint_id)
    return row


def _unknown(endpoint_id: str) -> NotStoredError:
    return NotStoredError(f"there is no endpoint with the id {endpoint_id[:64]!r}")


def _endpoint(row: EndpointRow) -> Endpoint:
    return Endpoint(**{part.name: getattr(row, part.name) for part in fields(Endpoint)})
