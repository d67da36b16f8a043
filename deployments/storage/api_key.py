"""API keys as they are known: `sl_<key id>_<secret>`, stored as a digest.

The id is no secret: it names the row, stands in lists and logs, and revokes. The secret has 256 random bits, so one
SHA-256 of the whole is enough: slow hashes exist for what people choose and others can guess, and would cost every
request what they cost a thief.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

_KEY = re.compile(r"sl_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may do; each may do what those before it may."""

    INFER = "infer"
    MANAGE = "manage"
    ADMIN = "admin"


_RANK = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key.

    Attributes:
        key_id: names it; no secret.
        digest: SHA-256 of the whole key.
        workspace: whose it is.
        scope: what it may do.
        label: what it is for, in its owner's words.
        version: grows with every change of any key.
        created_unix_s: when it was made.
        expires_unix_s: when it ends by itself; None for never.
        revoked_unix_s: when it was taken back; None when it was not.
        last_used_unix_s: about when it was last used; None for never.
    """

    key_id: str
    digest: bytes
    workspace: str
    scope: Scope
    label: str
    version: int
    created_unix_s: float
    expires_unix_s: float | None
    revoked_unix_s: float | None
    last_used_unix_s: float | None

    def is_live(self, now_unix_s: float) -> bool:
        """Whether it is good for anything at this time."""
        return self.revoked_unix_s is None and (self.expires_unix_s is None or now_unix_s < self.expires_unix_s)

    def may(self, scope: Scope) -> bool:
        """Whether it may do what needs this scope."""
        return _RANK[self.scope] >= _RANK[scope]

    def matches(self, key: str) -> bool:
        """Whether the text is this key; takes as long for a wrong text as for the right one."""
        return hmac.compare_digest(self.digest, digest_of(key))


def key_id_of(key: str) -> str | None:
    """The id inside a key; None for a text that is no key of ours."""
    match = _KEY.fullmatch(key)
    return None if match is None else match[1]


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def fresh_key() -> tuple[str, str]:
    """The id of a new key, and the key."""
    key_id = secrets.token_hex(6)
    return key_id, f"sl_{key_id}_{secrets.token_urlsafe(32)}"
