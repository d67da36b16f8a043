"""Saved workflows and their versions. A version never changes; the newest one is what a name means."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import asdict, dataclass

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session, defer

from deployments.storage.database import Database
from deployments.storage.errors import InvalidNameError, NotStoredError
from deployments.storage.tables import WorkflowVersionRow, WorkspaceRow
from deployments.storage.workspaces import ensure_workspace

MAX_DOCUMENT_CHARACTERS = 4 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_MOST_DIGITS = 9
"""A longer number is an id, and no version."""
_WITHOUT_DOCUMENT = defer(WorkflowVersionRow.document, raiseload=True)
"""For whoever needs no documents, which may have megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowVersion:
    """One version of a saved workflow.

    Attributes:
        version_id: names it among all.
        workspace: whose it is.
        workflow: its name there.
        version: its number, from 1.
        created_unix_s: when it was saved.
    """

    version_id: str
    workspace: str
    workflow: str
    version: int
    created_unix_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWorkflow(WorkflowVersion):
    """A version with what it says.

    Attributes:
        document: JSON of the definition.
    """

    document: str


class StoredWorkflows:
    """A `WorkflowSource` over a database."""

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._database = database

    def find(self, workspace: str, workflow: str, version: str | None) -> str | None:
        """See `WorkflowSource`."""
        with self._database.reading() as session:
            found = find_workflow(session, workspace, workflow, version)
        return None if found is None else found.document


def save_workflow(
    session: Session, workspace: str, workflow: str, document: str, *, now_unix_s: float
) -> WorkflowVersion:
    """A new version of a workflow; the newest one itself when it says the same. The workspace is made when need be.

    Args:
        session: a writing one.
        workspace: whose it is.
        workflow: its name.
        document: JSON of the definition.
        now_unix_s: the time.

    Raises:
        InvalidNameError: no name for a workspace or a workflow, or the document is too long.
    """
    if not _NAME.fullmatch(workflow):
        raise InvalidNameError(
            f"{workflow[:80]!r} is no name for a workflow; take up to 200 letters, digits, -, _ and ., the first not ."
        )
    if len(document) > MAX_DOCUMENT_CHARACTERS:
        raise InvalidNameError(
            f"the workflow {workflow} has {len(document)} characters; {MAX_DOCUMENT_CHARACTERS} are stored"
        )
    ensure_workspace(session, workspace, now_unix_s=now_unix_s)
    session.execute(select(WorkspaceRow).where(WorkspaceRow.name == workspace).with_for_update())  # one after another
    newest = session.scalars(
        select(WorkflowVersionRow)
        .where(WorkflowVersionRow.workspace == workspace, WorkflowVersionRow.workflow == workflow)
        .order_by(WorkflowVersionRow.version.desc())
        .limit(1)
        .options(_WITHOUT_DOCUMENT)
    ).one_or_none()
    digest = hashlib.sha256(document.encode()).digest()
    if newest is not None and newest.deleted_unix_s is None and newest.digest == digest:
        return _version(newest)
    row = WorkflowVersionRow(
        version_id=uuid.uuid4().hex,
        workspace=workspace,
        workflow=workflow,
        version=1 if newest is None else newest.version + 1,
        digest=digest,
        document=document,
        created_unix_s=now_unix_s,
    )
    session.add(row)
    session.flush()
    return _version(row)


def find_workflow(session: Session, workspace: str, workflow: str, version: str | None = None) -> FoundWorkflow | None:
    """The newest version of a workflow, or the one with this number or id; None when there is none."""
    query = _live().where(WorkflowVersionRow.workspace == workspace, WorkflowVersionRow.workflow == workflow)
    if version is not None:
        is_it = WorkflowVersionRow.version_id == version
        if version.isascii() and version.isdigit() and len(version) <= _MOST_DIGITS:
            is_it = or_(is_it, WorkflowVersionRow.version == int(version))
        query = query.where(is_it)
    row = session.scalars(query.order_by(WorkflowVersionRow.version.desc()).limit(1)).one_or_none()
    return None if row is None else FoundWorkflow(**asdict(_version(row)), document=row.document)


def list_workflows(
    session: Session, workspace: str | None = None, workflow: str | None = None
) -> list[WorkflowVersion]:
    """Every version of every workflow of a workspace, or of all, by names and numbers."""
    query = _live().options(_WITHOUT_DOCUMENT)
    if workspace is not None:
        query = query.where(WorkflowVersionRow.workspace == workspace)
    if workflow is not None:
        query = query.where(WorkflowVersionRow.workflow == workflow)
    order = (WorkflowVersionRow.workspace, WorkflowVersionRow.workflow, WorkflowVersionRow.version)
    return [_version(row) for row in session.scalars(query.order_by(*order))]


def delete_workflow(session: Session, workspace: str, workflow: str, *, now_unix_s: float) -> int:
    """Delete all versions of a workflow; gives how many there were. Its next one goes on counting.

    Raises:
        NotStoredError: there is none.
    """
    deleted = session.scalars(
        update(WorkflowVersionRow)
        .where(WorkflowVersionRow.workspace == workspace, WorkflowVersionRow.workflow == workflow)
        .where(WorkflowVersionRow.deleted_unix_s.is_(None))
        .values(deleted_unix_s=now_unix_s)
        .returning(WorkflowVersionRow.version_id)
    ).all()
    if not deleted:
        raise NotStoredError(f"there is no workflow {f'{workspace}/{workflow}'[:200]!r}")
    return len(deleted)


def _live() -> Select[tuple[WorkflowVersionRow]]:
    return select(WorkflowVersionRow).where(WorkflowVersionRow.deleted_unix_s.is_(None))


def _version(row: WorkflowVersionRow) -> WorkflowVersion:
    return WorkflowVersion(
        version_id=row.version_id,
        workspace=row.workspace,
        workflow=row.workflow,
        version=row.version,
        created_unix_s=row.created_unix_s,
    )
