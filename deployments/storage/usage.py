"""What endpoints used: a stretch of time for each replica that ran.

A replica that the control plane sees for the first time begins an interval; one that it ends itself ends it at that
instant; one that is found gone ended when it was last seen: what cannot be shown to have run is not counted. So an
interval is shorter than the truth by at most the time between two looks at either end, and a control plane that was
away finds a replica that ran on still running, its interval unbroken.

Written is only what changes, and, once in `WRITTEN_EVERY_S` for all replicas together, that they still run. That is
needed for one case alone: that control plane and replicas end at the same moment, as when the machine loses power. Then
nobody knows more than that the end came within that time; the middle of it is taken, half of it wrong at most.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from deployments.storage.tables import EndpointRow, UsageRow

WRITTEN_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageInterval:
    """Some time of one replica.

    Attributes:
        endpoint_id: whose replica.
        replica: which.
        began_unix_s: when it began, or where the asked time begins.
        ended_unix_s: when it ended, or where the asked time ends.
        is_open: whether it was running at the end of the asked time.
    """

    endpoint_id: str
    replica: str
    began_unix_s: float
    ended_unix_s: float
    is_open: bool

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended_unix_s - self.began_unix_s


def observe_replicas(
    session: Session,
    endpoint_id: str,
    running: Collection[str],
    *,
    now_unix_s: float,
    seen_unix_s: float | None = None,
) -> None:
    """Write down which replicas of an endpoint run now; the same look twice is as one.

    Args:
        session: of a writing transaction.
        endpoint_id: whose.
        running: names of the replicas; a name is never used for two replicas of one endpoint.
        now_unix_s: when they were seen.
        seen_unix_s: when those that are found gone were last seen; None where nobody remembers more than is written.
    """
    open_rows = {row.replica: row for row in _open_rows(session, endpoint_id)}
    for replica, row in open_rows.items():
        if replica in running:
            row.seen_unix_s = max(row.seen_unix_s, now_unix_s)
        else:
            written_s = row.seen_unix_s
            forgotten_s = min(written_s + WRITTEN_EVERY_S / 2, now_unix_s)
            row.ended_unix_s = forgotten_s if seen_unix_s is None else max(written_s, seen_unix_s)
    for replica in running:
        if replica not in open_rows:
            session.add(
                UsageRow(endpoint_id=endpoint_id, replica=replica, began_unix_s=now_unix_s, seen_unix_s=now_unix_s)
            )
    session.flush()


def still_running(session: Session, endpoint_ids: Collection[str], *, now_unix_s: float) -> None:
    """Write down that all replicas of some endpoints run on."""
    session.execute(
        update(UsageRow)
        .where(UsageRow.endpoint_id.in_(endpoint_ids), UsageRow.ended_unix_s.is_(None))
        .where(UsageRow.seen_unix_s < now_unix_s)
        .values(seen_unix_s=now_unix_s)
        .execution_options(synchronize_session=False)
    )


def end_usage(
    session: Session, endpoint_id: str, *, now_unix_s: float, replicas: Collection[str] | None = None
) -> None:
    """End the intervals of replicas that have just been stopped: all of an endpoint, or those named."""
    for row in _open_rows(session, endpoint_id):
        if replicas is None or row.replica in replicas:
            row.seen_unix_s = row.ended_unix_s = max(row.seen_unix_s, now_unix_s)
    session.flush()


def usage(
    session: Session,
    *,
    from_unix_s: float,
    to_unix_s: float,
    endpoint_id: str | None = None,
    workspace: str | None = None,
) -> list[UsageInterval]:
    """What of the intervals lies between two times, oldest first: of an endpoint, of a workspace, or of all.

    An open interval counts up to when it was last seen.
    """
    query = (
        select(UsageRow)
        .where(UsageRow.began_unix_s < to_unix_s)
        .where(or_(UsageRow.ended_unix_s.is_(None), UsageRow.ended_unix_s > from_unix_s))
        .order_by(UsageRow.began_unix_s, UsageRow.interval_id)
    )
    if endpoint_id is not None:
        query = query.where(UsageRow.endpoint_id == endpoint_id)
    if workspace is not None:
        query = query.join(EndpointRow, EndpointRow.endpoint_id == UsageRow.endpoint_id)
        query = query.where(EndpointRow.workspace == workspace)
    found = []
    for row in session.scalars(query):
        ended = row.seen_unix_s if row.ended_unix_s is None else row.ended_unix_s
        began, clipped = max(row.began_unix_s, from_unix_s), min(ended, to_unix_s)
        if clipped > began:
            found.append(
                UsageInterval(
                    endpoint_id=row.endpoint_id,
                    replica=row.replica,
                    began_unix_s=began,
                    ended_unix_s=clipped,
                    is_open=row.ended_unix_s is None and row.seen_unix_s <= to_unix_s,
                )
            )
    return found


def _open_rows(session: Session, endpoint_id: str) -> list[UsageRow]:
    query = select(UsageRow).where(UsageRow.endpoint_id == endpoint_id, UsageRow.ended_unix_s.is_(None))
    return list(session.scalars(query.with_for_update()))
