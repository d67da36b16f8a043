"""One event loop in a thread of its own, on which all engines of this process talk to their servers."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import lru_cache
from typing import Any, TypeVar

Done = TypeVar("Done")

CLOSING_S = 2.0


class BackgroundLoop:
    """An event loop that runs until the process ends."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, Done]) -> Future[Done]:
        """Begin something there, from any thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, Done]) -> Done:
        """Do something there and wait for it; never from the loop itself."""
        return self.start(coroutine).result()

    def close(self) -> None:
        """Let what was begun end, for a moment, then stop the loop and its thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end_tasks(), self._loop).result(CLOSING_S * 2)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_S)
        self._loop.close()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING_S)
            for task in late:
                task.cancel()


@lru_cache(maxsize=1)
def background_loop() -> BackgroundLoop:
    """The loop of this process, started when it is first asked for and closed at the end of the process."""
    loop = BackgroundLoop("engine-servers")
    atexit.register(loop.close)
    return loop
