"""What becomes of a connection, told by an event loop and a transport that open no socket."""

from __future__ import annotations

import asyncio
import errno

import pytest

from load_tests.http_connection import Answer, HttpPool


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
