"""What is stored: one class a table.

Times are seconds since 1970 as floats, from a clock that the caller passes in: both databases keep them exactly, and
they can be subtracted. Names end in `_unix_s`. A change here needs a migration beside it (`migrations/versions`); a
test compares the two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Double,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from deployments.storage.api_key import Scope

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class DesiredState(StrEnum):
    """What the owner of an endpoint wants it to be."""

    RUNNING = "running"
    PAUSED = "paused"
    DELETED = "deleted"


class ActualState(StrEnum):
    """What an endpoint is, as far as the control plane has seen."""

    PENDING = "pending"
    READY = "ready"
    PAUSING = "pausing"
    PAUSED = "paused"
    FAILED = "failed"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    DELETING = "deleting"
    DELETED = "deleted"


class Base(DeclarativeBase):
    """Every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {float: Double(), dict[str, Any]: JSON()}  # noqa: RUF012 - as SQLAlchemy reads it


def _words(kind: type[StrEnum]) -> Enum:
    """A column of the enumeration's values; the code checks them, so that a new one needs no migration."""
    return Enum(
        kind, native_enum=False, create_constraint=False, length=16, values_callable=lambda of: [m.value for m in of]
    )


_LIVE = text("deleted_unix_s IS NULL")
_OPEN = text("ended_unix_s IS NULL")


class WorkspaceRow(Base):
    """Who owns endpoints, keys and workflows."""

    __tablename__ = "workspaces"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_unix_s: Mapped[float]


class StampRow(Base):
    """A number that grows with every change of something; its row is locked until the change is committed."""

    __tablename__ = "stamps"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]


class ApiKeyRow(Base):
    """A key, known by its digest alone. Rows are never removed: `version` tells readers what has changed."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "version"),)

    key_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    workspace: Mapped[str] = mapped_column(ForeignKey("workspaces.name"))
    scope: Mapped[Scope] = mapped_column(_words(Scope))
    label: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int]
    created_unix_s: Mapped[float]
    expires_unix_s: Mapped[float | None]
    revoked_unix_s: Mapped[float | None]
    last_used_unix_s: Mapped[float | None]


class EndpointRow(Base):
    """An endpoint: what is wanted, and what is."""

    __tablename__ = "endpoints"
    __table_args__ = (
        Index("uq_endpoints_live_name", "workspace", "name", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("uq_endpoints_live_subdomain", "subdomain", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    endpoint_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(ForeignKey("workspaces.name"))
    name: Mapped[str] = mapped_column(String(63))
    subdomain: Mapped[str] = mapped_column(String(63))
    machine_type: Mapped[str] = mapped_column(String(64))
    creator_email: Mapped[str] = mapped_column(String(320))
    inference_version: Mapped[str] = mapped_column(String(64))
    min_replicas: Mapped[int]
    max_replicas: Mapped[int]
    duration_h: Mapped[float]
    delete_on_expiration: Mapped[bool]
    spec: Mapped[dict[str, Any]]
    desired: Mapped[DesiredState] = mapped_column(_words(DesiredState))
    actual: Mapped[ActualState] = mapped_column(_words(ActualState))
    detail: Mapped[str] = mapped_column(Text, default="")
    num_replicas: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=1)
    observed_generation: Mapped[int] = mapped_column(default=0)
    created_unix_s: Mapped[float]
    changed_unix_s: Mapped[float]
    expires_unix_s: Mapped[float | None]
    deleted_unix_s: Mapped[float | None]


class EndpointEventRow(Base):
    """One line of an endpoint's history."""

    __tablename__ = "endpoint_events"
    __table_args__ = (Index(None, "endpoint_id", "at_unix_s"),)

    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("endpoints.endpoint_id"))
    at_unix_s: Mapped[float]
    severity: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)


class UsageRow(Base):
    """A stretch of time during which one replica of an endpoint ran; open while `ended_unix_s` is NULL."""

    __tablename__ = "usage_intervals"
    __table_args__ = (
        Index(None, "endpoint_id", "began_unix_s"),
        Index(
            "uq_usage_intervals_open", "endpoint_id", "replica", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
    )

    interval_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("endpoints.endpoint_id"))
    replica: Mapped[str] = mapped_column(String(128))
    began_unix_s: Mapped[float]
    seen_unix_s: Mapped[float]
    ended_unix_s: Mapped[float | None]


class LeaseRow(Base):
    """Who may act for a while. `token` grows with every new holder."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    holder: Mapped[str] = mapped_column(String(128))
    token: Mapped[int]
    until_unix_s: Mapped[float]


class WorkflowVersionRow(Base):
    """One version of a saved workflow; the highest one is what its name means."""

    __tablename__ = "workflow_versions"
    __table_args__ = (UniqueConstraint("workspace", "workflow", "version"),)

    version_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(ForeignKey("workspaces.name"))
    workflow: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    document: Mapped[str] = mapped_column(Text)
    created_unix_s: Mapped[float]
    deleted_unix_s: Mapped[float | None]
