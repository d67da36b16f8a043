"""HTTP/1.1 as a load generator needs it: kept-alive connections on httptools' parser, and nothing between.

A client library spends 5 to 70 times as much CPU on an empty request (us a request, on the same busy machine: this 65,
aiohttp 360, httpx 4600), which on one machine is taken from the server that is measured.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

MAX_IN_FLIGHT = 8000
"""Of open connections: a server that answers nobody must not use up all memory here."""

CLOSED_BEFORE_S = 0.1
"""A round trip: a kept connection that is lost so soon behind a request was closed before the server saw it."""

NOT_SENT = "not sent, "
"""Begins the failure of a request that never left this machine, for a reason that is not the server's."""

OWN_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS)
"""What a connection fails with when this machine has no more files, ports or buffers."""


@dataclass(slots=True)
class Answer:
    """What came of a request.

    Attributes:
        sent_s: when it was written, by `time.perf_counter`.
        done_s: when its last byte came, or it failed.
        status: HTTP status; 0 when there is none.
        failure: why there is none.
        server_timing: that header, as it came.
        repeated: whether it was asked again, since the server had closed the kept connection.
    """

    sent_s: float
    done_s: float = 0.0
    status: int = 0
    failure: str = ""
    server_timing: str = ""
    repeated: bool = False


OnAnswer = Callable[[int, Answer], None]


def encode_request(url: str, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A whole request as it goes over the wire.

    Args:
        url: of the server, for `Host`, which `headers` may name instead.
    """
    named = {"Host": urlsplit(url).netloc, **headers}
    if body or method != "GET":
        named["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError("a header or path of a request has a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class HttpConnection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, pool: HttpPool) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._number = -1
        self._answer: Answer | None = None
        self._request = b""
        self._fresh = True
        self._heard = False

    @property
    def sent_s(self) -> float:
        """When the request under way was written."""
        return self._answer.sent_s if self._answer else 0.0

    def send(self, number: int, request: bytes, sent_s: float, *, repeated: bool = False) -> None:
        """Write a request; the pool hears of its answer."""
        self._number, self._request, self._heard = number, request, False
        self._answer = Answer(sent_s, repeated=repeated)
        self._parser = httptools.HttpResponseParser(self)
        if self._transport is not None:
            self._transport.write(request)

    def fail(self, failure: str) -> None:
        """Give the request under way up, and the connection with it."""
        if self._transport is not None:
            self._transport.abort()
        self._finish(failure)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write the request that waited for the connection."""
        self._transport = cast("asyncio.Transport", transport)
        if self._answer is None:  # given up meanwhile
            self._transport.abort()
        else:
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._answer is None:
            self.fail("bytes that nobody asked for")
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail("no HTTP")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that is reported."""
        if self._answer is not None and name.lower() == b"server-timing":
            self._answer.server_timing = value.decode("latin-1")

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._answer is None:
            return
        self._answer.status = self._parser.get_status_code()
        keep = self._parser.should_keep_alive()
        self._fresh = False
        self._finish("", reusable=keep)
        if not keep and self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Ask again on a fresh connection where the server had closed a kept one before it saw the request, else fail.

        That is so where no byte of an answer came and the close came at once. A server that closes later, or within its
        answer, had the request and lost it.
        """
        self._pool.forget(self)
        if self._answer is None:
            return
        at_once = time.perf_counter() - self._answer.sent_s <= CLOSED_BEFORE_S
        if at_once and not self._fresh and not self._heard:
            number, answer = self._number, self._answer
            self._answer = None
            self._pool.open_for(number, self._request, answer.sent_s, repeated=True)
            return
        self._finish("connection lost")

    def _finish(self, failure: str, *, reusable: bool = False) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        answer.done_s = time.perf_counter()
        answer.failure = failure
        self._pool.done(self, self._number, answer, reusable=reusable)


class HttpPool:
    """Connections to one server: the last one used is used first, a new one is opened when none is free."""

    def __init__(self, url: str, on_answer: OnAnswer, *, timeout_s: float) -> None:
        """Open nothing yet.

        Args:
            url: `http://host:port`.
            on_answer: hears of every request, by its number, once; of those under way at the end, nothing.
            timeout_s: from sending to the last byte; then the request is given up.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server; http://host:port is")
        self._host, self._port = parts.hostname, parts.port or 80
        self._on_answer = on_answer
        self._timeout_s = timeout_s
        self.closed = False
        self._idle: list[HttpConnection] = []
        self._busy: dict[HttpConnection, None] = {}  # oldest request first
        self._opening: set[asyncio.Task[None]] = set()

    def send(self, number: int, request: bytes) -> None:
        """Send a request now; never waits, never raises."""
        sent_s = time.perf_counter()
        if self._idle:
            connection = self._idle.pop()
            self._busy[connection] = None
            connection.send(number, request, sent_s)
        else:
            self.open_for(number, request, sent_s)

    def open_for(self, number: int, request: bytes, sent_s: float, *, repeated: bool = False) -> None:
        """Send on a fresh connection."""
        if len(self._busy) >= MAX_IN_FLIGHT:
            failure = f"{NOT_SENT}{MAX_IN_FLIGHT} were in flight"
            self._on_answer(number, Answer(sent_s, done_s=time.perf_counter(), failure=failure))
            return
        connection = HttpConnection(self)
        self._busy[connection] = None
        connection.send(number, request, sent_s, repeated=repeated)
        task = asyncio.get_running_loop().create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, connection: HttpConnection) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: connection, self._host, self._port)
        except ConnectionRefusedError:
            connection.fail("connection refused")
        except OSError as error:
            if error.errno in OWN_LIMITS:
                connection.fail(f"{NOT_SENT}{os.strerror(error.errno)}")
            else:
                connection.fail("connection failed")

    def done(self, connection: HttpConnection, number: int, answer: Answer, *, reusable: bool) -> None:
        """Take a connection back, and pass its answer on."""
        self._busy.pop(connection, None)
        if self.closed:
            return
        if reusable:
            self._idle.append(connection)
        self._on_answer(number, answer)

    def forget(self, connection: HttpConnection) -> None:
        """A connection is closed."""
        self._busy.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)

    def expire(self) -> None:
        """Give up what has had no answer in time; call it now and then."""
        latest_s = time.perf_counter() - self._timeout_s
        while self._busy:
            oldest = next(iter(self._busy))
            if oldest.sent_s > latest_s:
                return
            oldest.fail("timeout")

    def close(self) -> None:
        """Close everything; nobody hears of requests under way any more."""
        self.closed = True
        for connection in [*self._busy, *self._idle]:
            connection.fail("")
        for task in self._opening:
            task.cancel()
