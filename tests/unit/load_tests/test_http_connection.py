"""What becomes of a connection, told by an event loop and a transport that open no socket."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from typing import Any

import pytest

from load_tests.http_connection import CLOSED_BEFORE_S, Answer, HttpConnection, HttpPool
from tests.unit.load_tests.stalling_server import ANSWER


def failure_of(error: OSError, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a request fails with where no connection can be made."""

    async def failing(*_: object, **__: object) -> None:
        raise error

    async def ask() -> str:
        heard: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", failing, raising=False)
        pool = HttpPool("http://127.0.0.1:9001", lambda _, answer: heard.set_result(answer), timeout_s=1)
        pool.send(0, b"")
        return (await heard).failure

    return asyncio.run(ask())


class Wire(asyncio.Transport):
    """Where requests are written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(data)

    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass


def asked_and_lost(
    begun: bytes, after_s: float, monkeypatch: pytest.MonkeyPatch, *, kept: bool = True
) -> tuple[int, str, bool]:
    """Connections that were opened, failure and whether it was repeated, of a request whose connection is lost.

    Args:
        begun: what came of its answer before.
        after_s: how long after the request the connection is lost.
        monkeypatch: for the clock and the loop.
        kept: whether a request was answered on it before.
    """

    async def ask() -> tuple[int, str, bool]:
        wires: list[tuple[HttpConnection, Wire]] = []
        heard: list[Answer] = []
        opened = asyncio.Event()

        async def connecting(made: Callable[[], HttpConnection], *_: object) -> None:
            connection, wire = made(), Wire()
            wires.append((connection, wire))
            connection.connection_made(wire)
            opened.set()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connecting, raising=False)
        pool = HttpPool("http://127.0.0.1:9001", lambda _, answer: heard.append(answer), timeout_s=1)
        pool.send(0, b"first")
        await opened.wait()
        first = wires[0][0]
        if kept:
            first.data_received(ANSWER)
            pool.send(1, b"second")
        if begun:
            first.data_received(begun)
        opened.clear()
        now_s = time.perf_counter() + after_s
        monkeypatch.setattr("load_tests.http_connection.time.perf_counter", lambda: now_s)
        before = len(heard)
        first.connection_lost(None)
        if len(heard) == before:  # it is asked again
            await opened.wait()
            assert wires[1][1].written == [b"second"]
            wires[1][0].data_received(ANSWER)
        return len(wires), heard[-1].failure, heard[-1].repeated

    return asyncio.run(ask())


def test_a_kept_connection_that_was_closed_meanwhile_is_asked_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_and_lost(b"", 0, monkeypatch) == (2, "", True)


@pytest.mark.parametrize(
    ("begun", "after_s", "kept"),
    [
        (ANSWER[:20], 0, True),
        (ANSWER[:-1], 0, True),
        (b"", 2 * CLOSED_BEFORE_S, True),
        (b"", 0, False),
    ],
    ids=["in its head", "in its body", "later", "on a fresh connection"],
)
def test_a_connection_that_is_lost_with_the_request_is_an_error(
    begun: bytes, after_s: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_and_lost(begun, after_s, monkeypatch, kept=kept) == (1, "connection lost", False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EMFILE, "not sent, Too many open files"),
        (errno.ENFILE, "not sent, Too many open files in system"),
        (errno.EADDRNOTAVAIL, "not sent, Cannot assign requested address"),
        (errno.ENOBUFS, "not sent, No buffer space available"),
        (errno.ECONNREFUSED, "connection refused"),
        (errno.EHOSTUNREACH, "connection failed"),
    ],
)
def test_limits_of_the_generator_are_not_blamed_on_the_server(
    code: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failure_of(OSError(code, "no"), monkeypatch) == kind


def test_nothing_is_heard_of_a_request_that_is_under_way_when_the_pool_closes() -> None:
    async def closed() -> list[Answer]:
        heard: list[Answer] = []
        pool = HttpPool("http://127.0.0.1:9001", lambda _, answer: heard.append(answer), timeout_s=1)
        pool.send(0, b"")
        pool.close()
        return heard

    assert asyncio.run(closed()) == []
