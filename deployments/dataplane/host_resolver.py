"""Names of hosts to addresses, without keeping anything else waiting."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial

RESOLVED_AT_ONCE = 8


class HostResolver:
    """Asks the system, in threads of its own.

    The system's resolver blocks for as long as a name server pleases, and cannot be interrupted. In the threads that
    the event loop shares with everybody, a few slow names would hold up whatever else waits for one of those.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVED_AT_ONCE, thread_name_prefix="host-resolver")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Addresses of a host.

        Raises:
            OSError: there are none.
        """
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Ask no more; names that are being asked for are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
