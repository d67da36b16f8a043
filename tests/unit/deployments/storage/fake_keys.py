"""A `KeySource` in memory that counts what it is asked."""

from __future__ import annotations

import threading
from dataclasses import replace

from deployments.storage.api_key import ApiKey, Scope, digest_of, fresh_key
from deployments.storage.errors import StorageUnavailableError


class FakeKeys:
    def __init__(self) -> None:
        self.rows: dict[str, ApiKey] = {}
        self.looks: list[int] = []
        self.used: list[dict[str, float]] = []
        self.away = False
        self.gate = threading.Event()
        self.gate.set()

    def make(self, workspace="acme", scope=Scope.INFER, expires_unix_s=None) -> str:
        key_id, key = fresh_key()
        self.rows[key_id] = ApiKey(
            key_id=key_id,
            digest=digest_of(key),
            workspace=workspace,
            scope=scope,
            label="",
            version=self._next(),
            created_unix_s=0.0,
            expires_unix_s=expires_unix_s,
            revoked_unix_s=None,
            last_used_unix_s=None,
        )
        return key

    def revoke(self, key: str) -> None:
        key_id = key.split("_")[1]
        self.rows[key_id] = replace(self.rows[key_id], revoked_unix_s=1.0, version=self._next())

    def _next(self) -> int:
        return max((row.version for row in self.rows.values()), default=0) + 1

    def changed_since(self, version: int) -> list[ApiKey]:
        self.looks.append(version)
        if self.away:
            raise StorageUnavailableError("the database sqlite:////secret/place.db is away")
        rows = [row for row in self.rows.values() if row.version > version]
        assert self.gate.wait(10)
        return rows

    def note_use(self, used) -> None:
        if self.away:
            raise StorageUnavailableError("the database is away")
        self.used.append(dict(used))
