"""Whose request it is: the key that it carries, and the workspace that the key stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

OPEN_WORKSPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks.

    Attributes:
        workspace: whose endpoints it may see.
        may_manage: whether it may create and change them.
    """

    workspace: str
    may_manage: bool = True


class Access(Protocol):
    """Knows keys."""

    def principal(self, key: str | None) -> Principal | None:
        """Who has a key; None for a key that is of no use here. Blocks."""


class OpenAccess:
    """Keys are not asked for: whoever reaches this server may do everything, in one workspace."""

    def principal(self, key: str | None) -> Principal:
        """See `Access`."""
        return Principal(workspace=OPEN_WORKSPACE)
