"""A real HTTP server, in a thread, that stands still for a while when it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer-Timing: work;dur=1.5\r\n\r\n{}"


class StallingServer:
    """Sleeps `stall_s` before it answers request `stall_at`; `answers` are of single requests, None hangs up.

    At `/missing` there is nothing.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.connections = 0
        self.stall_at = -1
        self.stall_s = 0.0
        self.answers: dict[int, bytes | None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            length = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.startswith(b"Content-Length")]
            await reader.readexactly(int(length[0]) if length else 0)
            self.requests += 1
            if head.startswith(b"GET /missing "):
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            if self.requests == self.stall_at:
                time.sleep(self.stall_s)  # noqa: ASYNC251 - on purpose not asyncio's: everybody waits
            answer = self.answers.get(self.requests, ANSWER)
            if answer is None:
                break
            writer.write(answer)
        writer.close()


@contextmanager
def stalling_server() -> Iterator[StallingServer]:
    server = StallingServer()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def run() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        started.set()
        await stop.wait()
        listening.close()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    started.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()
