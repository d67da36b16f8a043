"""The history of an endpoint: what was wanted, what became of it, and what was said meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from deployments.storage.tables import EndpointEventRow

MAX_TEXT_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line.

    Attributes:
        event_id: grows with every event of every endpoint.
        at_unix_s: when.
        severity: INFO, WARNING or ERROR.
        text: what.
    """

    event_id: int
    at_unix_s: float
    severity: str
    text: str


def add_event(session: Session, endpoint_id: str, text: str, *, now_unix_s: float, severity: str = "INFO") -> None:
    """Write one line; too long ones lose their end."""
    if len(text) > MAX_TEXT_CHARACTERS:
        text = text[:MAX_TEXT_CHARACTERS] + "..."
    session.add(EndpointEventRow(endpoint_id=endpoint_id, at_unix_s=now_unix_s, severity=severity, text=text))
    session.flush()


def events(
    session: Session,
    endpoint_id: str,
    *,
    from_unix_s: float | None = None,
    to_unix_s: float | None = None,
    limit: int = 100,
) -> list[Event]:
    """The newest events of an endpoint between two times, both counted in; newest first."""
    query = select(EndpointEventRow).where(EndpointEventRow.endpoint_id == endpoint_id)
    if from_unix_s is not None:
        query = query.where(EndpointEventRow.at_unix_s >= from_unix_s)
    if to_unix_s is not None:
        query = query.where(EndpointEventRow.at_unix_s <= to_unix_s)
    query = query.order_by(EndpointEventRow.at_unix_s.desc(), EndpointEventRow.event_id.desc()).limit(limit)
    return [
        Event(event_id=row.event_id, at_unix_s=row.at_unix_s, severity=row.severity, text=row.text)
        for row in session.scalars(query)
    ]


def drop_events(session: Session, *, before_unix_s: float) -> int:
    """Forget what is older; gives the number of lines that are gone."""
    gone = session.scalars(
        delete(EndpointEventRow)
        .where(EndpointEventRow.at_unix_s < before_unix_s)
        .returning(EndpointEventRow.event_id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
