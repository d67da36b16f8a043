"""Whose request it is: the key that it carries, and the workspace that the key stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from deployments.storage.api_key import Scope
from deployments.storage.database import Database
from deployments.storage.key_ring import KeyRing
from deployments.storage.keys import StoredKeys

OPEN_WORKSPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        workspace: whose endpoints it may see.
        scopes: what it may do with them.
    """

    workspace: str
    scopes: frozenset[Scope] = frozenset(Scope)


class Access(Protocol):
    """Knows keys."""

    async def principal(self, key: str | None) -> Principal | None:
        """Who has a key; None for a key that is of no use here.

        Raises:
            StorageUnavailableError: the keys cannot be looked at.
        """


class KeyAccess:
    """Asks the keys of the database."""

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._keys = KeyRing(lambda: StoredKeys(database))

    async def principal(self, key: str | None) -> Principal | None:
        """See `Access`."""
        known = None if key is None else await self._keys.find(key)
        if known is None:
            return None
        return Principal(workspace=known.workspace, scopes=frozenset(scope for scope in Scope if known.may(scope)))


class OpenAccess:
    """Keys are not asked for: whoever reaches this server may do everything, in one workspace."""

    async def principal(self, key: str | None) -> Principal:
        """See `Access`."""
        return Principal(workspace=OPEN_WORKSPACE)
