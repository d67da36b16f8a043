"""Definitions kept in a database, as a process that runs them at every request has them: in memory for moments."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from deployments.dataplane.saved_workflows import parse_definition
from deployments.errors import StateUnavailableError
from deployments.storage.errors import StorageUnavailableError

FRESH_S = 2.0
"""After which a name is looked up again: a new version is run within this time."""

MOST_KEPT = 256

Name = tuple[str, str, str | None]


class WorkflowSource(Protocol):
    """Where workflows are kept. It blocks."""

    def find(self, workspace: str, workflow: str, version: str | None) -> str | None:
        """JSON of the newest version, or of the one with a number or an id; None when there is none.

        Raises:
            StorageUnavailableError: it cannot be reached.
        """


class StoredDefinitions:
    """Definitions of a source, for one event loop."""

    def __init__(
        self, open_source: Callable[[], WorkflowSource], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is read yet; the source is opened at the first question, in a thread."""
        self._open_source = open_source
        self._source: WorkflowSource | None = None
        self._monotonic = monotonic
        self._kept: OrderedDict[Name, tuple[float, dict[str, Any] | None]] = OrderedDict()
        self._looking: dict[Name, asyncio.Task[dict[str, Any] | None]] = {}

    async def get(
        self, workspace: str, workflow: str, version: str | None, *, use_cache: bool = True
    ) -> dict[str, Any] | None:
        """The definition saved under a name; None when there is none.

        Raises:
            StateUnavailableError: it cannot be looked for.
            WorkflowDefinitionError: what is saved is no JSON object.
        """
        name = (workspace, workflow, version)
        if not use_cache:
            return await self._look(name)
        kept = self._kept.get(name)
        if kept is not None and self._monotonic() - kept[0] <= FRESH_S:
            return kept[1]
        looking = self._looking.get(name)
        if looking is None:  # however many ask for it now, the database is asked once
            looking = self._looking[name] = asyncio.ensure_future(self._look(name))
            looking.add_done_callback(partial(self._looked, name))
        return await asyncio.shield(looking)

    def _looked(self, name: Name, task: asyncio.Task[dict[str, Any] | None]) -> None:
        del self._looking[name]
        if not task.cancelled():
            task.exception()  # everybody who asked may have gone

    async def _look(self, name: Name) -> dict[str, Any] | None:
        workspace, workflow, _ = name
        asked_s = self._monotonic()
        try:
            text = await asyncio.to_thread(self._find, *name)
        except StorageUnavailableError as error:
            raise StateUnavailableError("saved workflows cannot be read at the moment; try again") from error
        found = None if text is None else parse_definition(text, f"{workspace}/{workflow}")
        self._kept[name] = (asked_s, found)
        self._kept.move_to_end(name)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    def _find(self, workspace: str, workflow: str, version: str | None) -> str | None:
        if self._source is None:
            self._source = self._open_source()
        return self._source.find(workspace, workflow, version)
