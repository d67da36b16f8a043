"""Keys as a process that checks them at every request has them: in memory, and never older than some seconds.

Rows that changed are read, not all, and beside the requests: one that carries a known key waits for no database. An
idle process reads nothing. A key that is not known is looked for at once, so that a new one works from its first
request; but not more often than a few times a second, whatever is sent. Kept is what an operator made and has not
revoked, so wrong keys take no memory either. When the database cannot be reached for longer than a revocation may take,
nobody is let in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from deployments.storage.api_key import ApiKey, key_id_of
from deployments.storage.errors import StorageUnavailableError

FRESH_S = 1.5
MAX_AGE_S = 4.0
"""After which nothing is decided without having looked: a revoked key ends within this and the time of one look."""

UNKNOWN_PAUSE_S = 0.2
USE_NOTED_EVERY_S = 60.0


class KeySource(Protocol):
    """Where keys are kept. All of it blocks."""

    def changed_since(self, version: int) -> Sequence[ApiKey]:
        """Keys that were made or revoked after a version; all of them after version 0.

        Raises:
            StorageUnavailableError: it cannot be reached.
        """

    def note_use(self, used: Mapping[str, float]) -> None:
        """Write down when keys were last used: key id -> seconds since 1970.

        Raises:
            StorageUnavailableError: it cannot be reached.
        """


class KeyRing:
    """The live keys of a source, for one event loop."""

    def __init__(
        self,
        open_source: Callable[[], KeySource],
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read yet.

        Args:
            open_source: gives the source; asked at the first look, in the thread that looks.
            wall: clock that keys expire by.
            monotonic: clock that looks age by.
        """
        self._open_source = open_source
        self._source: KeySource | None = None
        self._wall = wall
        self._monotonic = monotonic
        self._keys: dict[str, ApiKey] = {}
        self._version = 0
        self._looked_s = self._tried_s = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._used: dict[str, float] = {}
        self._noted: dict[str, float] = {}
        self._noting: asyncio.Task[None] | None = None

    async def find(self, key: str) -> ApiKey | None:
        """What is known of a live key; None for any other text.

        Raises:
            StorageUnavailableError: the source does not answer, and what is known is too old to say.
        """
        key_id = key_id_of(key)
        if key_id is None:
            return None
        arrived_s = self._monotonic()
        if self._cannot_tell(key_id, arrived_s):
            await asyncio.shield(self._look())
            if self._looked_s < arrived_s and self._cannot_tell(key_id, arrived_s):
                await asyncio.shield(self._look())  # that look had begun before this key came: the next one has not
        elif arrived_s - self._looked_s > FRESH_S:
            self._look()
        return self._judge(key_id, key)

    def _cannot_tell(self, key_id: str, now_s: float) -> bool:
        return key_id not in self._keys or now_s - self._looked_s > MAX_AGE_S

    def _judge(self, key_id: str, key: str) -> ApiKey | None:
        known = self._keys.get(key_id)
        now_unix_s = self._wall()
        if known is None or not known.matches(key) or not known.is_live(now_unix_s):
            return None
        if now_unix_s - self._noted.get(key_id, float("-inf")) >= USE_NOTED_EVERY_S:
            self._used[key_id] = now_unix_s
            self._note_use(now_unix_s)
        return known

    def _look(self) -> asyncio.Task[None]:
        """Begin to read what has changed, or join those who wait for the look that is under way."""
        if self._looking is None or self._looking.done():
            self._looking = _begin(self._read_changes())
        return self._looking

    async def _read_changes(self) -> None:
        # So many unknown keys cost a few looks a second, and each waits no longer than one pause.
        await asyncio.sleep(max(0.0, self._tried_s + UNKNOWN_PAUSE_S - self._monotonic()))
        began_s = self._tried_s = self._monotonic()
        changed = await asyncio.to_thread(self._changes)
        for key in changed:
            self._version = max(self._version, key.version)
            if key.revoked_unix_s is None:
                self._keys[key.key_id] = key
            else:
                self._keys.pop(key.key_id, None)
        self._looked_s = began_s

    def _changes(self) -> Sequence[ApiKey]:
        if self._source is None:
            self._source = self._open_source()
        return self._source.changed_since(self._version)

    def _note_use(self, now_unix_s: float) -> None:
        source = self._source
        if source is None or (self._noting is not None and not self._noting.done()):
            return  # the next use is noted, or the one after it
        used, self._used = self._used, {}
        self._noted.update(dict.fromkeys(used, now_unix_s))
        self._noting = _begin(asyncio.to_thread(source.note_use, used))


def _begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(work)
    task.add_done_callback(_retrieve)
    return task


def _retrieve(task: asyncio.Task[None]) -> None:
    """Nobody may be waiting for what fails: the next request looks again, and when a key was used is worth none."""
    if not task.cancelled() and not isinstance(task.exception(), StorageUnavailableError | None):
        task.get_loop().call_exception_handler({"message": "keys", "exception": task.exception(), "task": task})
