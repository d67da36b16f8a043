"""API keys in the database: made once, shown once, never removed; `version` tells readers what has changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from deployments.storage.api_key import ApiKey, Scope, digest_of, fresh_key
from deployments.storage.database import Database
from deployments.storage.errors import InvalidNameError, NotStoredError
from deployments.storage.tables import ApiKeyRow, StampRow
from deployments.storage.workspaces import ensure_workspace

STAMP = "api_keys"
MAX_LABEL_CHARACTERS = 200


class StoredKeys:
    """A `KeySource` over a database."""

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._database = database

    def changed_since(self, version: int) -> list[ApiKey]:
        """See `KeySource`."""
        with self._database.reading() as session:
            return keys_changed_since(session, version)

    def note_use(self, used: Mapping[str, float]) -> None:
        """See `KeySource`."""
        with self._database.writing() as session:
            note_use(session, used)


def create_key(
    session: Session,
    workspace: str,
    scope: Scope,
    *,
    now_unix_s: float,
    expires_unix_s: float | None = None,
    label: str = "",
) -> tuple[str, ApiKey]:
    """A new key, and what is stored of it; nobody can read the key itself again. The workspace is made when need be.

    Raises:
        InvalidNameError: no name for a workspace, a label that is too long, or an end that is over.
    """
    if len(label) > MAX_LABEL_CHARACTERS:
        raise InvalidNameError(f"the label has {len(label)} characters; {MAX_LABEL_CHARACTERS} are stored")
    if expires_unix_s is not None and expires_unix_s <= now_unix_s:
        raise InvalidNameError("the key would have expired before it is made; give a later time")
    ensure_workspace(session, workspace, now_unix_s=now_unix_s)
    key_id, key = fresh_key()
    row = ApiKeyRow(
        key_id=key_id,
        digest=digest_of(key),
        workspace=workspace,
        scope=scope,
        label=label,
        version=_next_version(session),
        created_unix_s=now_unix_s,
        expires_unix_s=expires_unix_s,
    )
    session.add(row)
    session.flush()
    return key, _known(row)


def list_keys(session: Session, workspace: str | None = None) -> list[ApiKey]:
    """Keys of a workspace, or of all, in the order they were made; revoked and expired ones too."""
    query = select(ApiKeyRow).order_by(ApiKeyRow.created_unix_s, ApiKeyRow.key_id)
    if workspace is not None:
        query = query.where(ApiKeyRow.workspace == workspace)
    return [_known(row) for row in session.scalars(query)]


def revoke_key(session: Session, key_id: str, *, now_unix_s: float) -> ApiKey:
    """Take a key back for good; one that is revoked already stays as it is.

    Raises:
        NotStoredError: there is none with this id.
    """
    row = session.scalars(select(ApiKeyRow).where(ApiKeyRow.key_id == key_id).with_for_update()).one_or_none()
    if row is None:
        raise NotStoredError("there is no key with this id; `sightline keys list --all` shows the ids of all keys")
    if row.revoked_unix_s is None:
        row.revoked_unix_s, row.version = now_unix_s, _next_version(session)
        session.flush()
    return _known(row)


def keys_changed_since(session: Session, version: int) -> list[ApiKey]:
    """Keys that were made or revoked after a version; all of them after version 0."""
    return [_known(row) for row in session.scalars(select(ApiKeyRow).where(ApiKeyRow.version > version))]


def note_use(session: Session, used: Mapping[str, float]) -> None:
    """Write down when keys were last used: key id -> time. No reader needs to hear of it, so versions stay."""
    for key_id, at_unix_s in used.items():
        older = or_(ApiKeyRow.last_used_unix_s.is_(None), ApiKeyRow.last_used_unix_s < at_unix_s)
        session.execute(update(ApiKeyRow).where(ApiKeyRow.key_id == key_id, older).values(last_used_unix_s=at_unix_s))


def _next_version(session: Session) -> int:
    """The next version; its row stays locked until the commit, so versions become visible in their order."""
    query = select(StampRow).where(StampRow.name == STAMP).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        try:
            with session.begin_nested():
                session.add(StampRow(name=STAMP, version=0))
        except IntegrityError:
            pass  # another one has made it since
        row = session.scalars(query.execution_options(populate_existing=True)).one()
    row.version += 1
    session.flush()
    return row.version


def _known(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        digest=row.digest,
        workspace=row.workspace,
        scope=row.scope,
        label=row.label,
        version=row.version,
        created_unix_s=row.created_unix_s,
        expires_unix_s=row.expires_unix_s,
        revoked_unix_s=row.revoked_unix_s,
        last_used_unix_s=row.last_used_unix_s,
    )
