"""Workspaces: who owns endpoints, keys and workflows. One is made by its first key or endpoint."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from deployments.storage.errors import InvalidNameError
from deployments.storage.tables import WorkspaceRow

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def ensure_workspace(session: Session, name: str, *, now_unix_s: float) -> None:
    """Make a workspace, unless it is there.

    Raises:
        InvalidNameError: no name for one.
    """
    if not _NAME.fullmatch(name):
        raise InvalidNameError(
            f"{name[:80]!r} is no name for a workspace; take up to 63 of a-z, 0-9 and -, the first not -"
        )
    if session.get(WorkspaceRow, name) is not None:
        return
    try:
        with session.begin_nested():
            session.add(WorkspaceRow(name=name, created_unix_s=now_unix_s))
    except IntegrityError:
        return  # another one has made it since


def workspaces(session: Session) -> list[str]:
    """Names of all workspaces, sorted."""
    return list(session.scalars(select(WorkspaceRow.name).order_by(WorkspaceRow.name)))
