"""Who may act: a lease has one holder at a time, and a token that tells late writers that they are late.

A holder that stops for longer than its lease lasts loses it without noticing. So nothing is written on the strength of
having held it: `fenced` looks inside the very transaction that writes, and locks the lease's row until its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from deployments.storage.database import Database
from deployments.storage.errors import LeaseLostError
from deployments.storage.tables import LeaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What a holder was given.

    Attributes:
        name: what may be done.
        holder: who may do it.
        token: larger than that of every holder before.
        until_unix_s: when it ends, unless it is renewed.
    """

    name: str
    holder: str
    token: int
    until_unix_s: float


def acquire(database: Database, name: str, holder: str, *, lasts_s: float, now_unix_s: float) -> Lease | None:
    """The lease, taken or renewed; None while somebody else holds it.

    The same holder keeps its token while its lease has not ended.
    """
    try:
        with database.writing() as session:
            row = _locked(session, name)
            if row is None:
                row = LeaseRow(name=name, holder=holder, token=1, until_unix_s=now_unix_s + lasts_s)
                session.add(row)
                session.flush()  # another one may be doing the same
            else:
                ended = row.until_unix_s <= now_unix_s
                if row.holder != holder and not ended:
                    return None
                if ended or row.holder != holder:
                    row.token += 1
                row.holder, row.until_unix_s = holder, now_unix_s + lasts_s
            return Lease(name=name, holder=holder, token=row.token, until_unix_s=row.until_unix_s)
    except IntegrityError:
        return None


def release(database: Database, lease: Lease, *, now_unix_s: float) -> None:
    """End a lease before its time; one that is lost already is left alone."""
    with database.writing() as session:
        row = _locked(session, lease.name)
        if row is not None and row.token == lease.token:
            row.until_unix_s = min(row.until_unix_s, now_unix_s)


@contextmanager
def fenced(database: Database, lease: Lease, *, now_unix_s: float) -> Iterator[Session]:
    """A writing transaction that only the holder of the lease can make; nobody takes the lease over before its end.

    Raises:
        LeaseLostError: the lease has ended, or another one holds it.
    """
    with database.writing() as session:
        row = _locked(session, lease.name)
        if row is None or row.token != lease.token or row.until_unix_s <= now_unix_s:
            raise LeaseLostError(f"the lease {lease.name!r} is no longer held by {lease.holder!r}; acquire it again")
        yield session


def _locked(session: Session, name: str) -> LeaseRow | None:
    return session.scalars(select(LeaseRow).where(LeaseRow.name == name).with_for_update()).one_or_none()
