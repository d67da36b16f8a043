import asyncio
import socket
import threading

import pytest

from deployments.dataplane import host_resolver
from deployments.dataplane.host_resolver import RESOLVED_AT_ONCE, HostResolver
from deployments.dataplane.url_fetch import UrlFetcher
from deployments.errors import ImageInputError

URL = "https://images.example.com/a.png"


class SlowNames:
    """In the place of the system's resolver: answers nobody before it is released."""

    def __init__(self):
        self.released, self.crowded = threading.Event(), threading.Event()
        self.asked = 0
        self._lock = threading.Lock()

    def __call__(self, host, port, *, type):
        with self._lock:
            self.asked += 1
            if self.asked == RESOLVED_AT_ONCE:
                self.crowded.set()
        self.released.wait()
        raise OSError("unknown host")


@pytest.fixture
def slow_names(monkeypatch):
    slow = SlowNames()
    monkeypatch.setattr(host_resolver.socket, "getaddrinfo", slow)
    yield slow
    slow.released.set()


@pytest.fixture
def resolver():
    resolver = HostResolver()
    yield resolver
    resolver.close()


async def test_each_address_is_there_once(resolver, monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "8.8.4.4") * 2]
    monkeypatch.setattr(host_resolver.socket, "getaddrinfo", lambda host, port, *, type: found)
    assert await resolver("images.example.com", 443) == ["8.8.8.8", "8.8.4.4"]


async def test_an_unknown_host_is_an_error(resolver, slow_names):
    slow_names.released.set()
    with pytest.raises(OSError, match="unknown host"):
        await resolver("images.example.com", 443)


async def test_slow_names_hold_up_nothing_else(resolver, slow_names):
    waiting = [asyncio.create_task(resolver("slow.example.com", 443)) for _ in range(100)]
    async with asyncio.timeout(60):
        assert await asyncio.to_thread(slow_names.crowded.wait)  # in a thread that everybody shares
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert slow_names.asked == RESOLVED_AT_ONCE


async def test_a_fetcher_that_is_closed_asks_for_no_more_names(slow_names):
    slow_names.released.set()
    fetcher = UrlFetcher(max_bytes=100, timeout_s=60)
    with pytest.raises(ImageInputError, match="is not known"):
        await fetcher.fetch(URL)
    fetcher.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        await fetcher.fetch(URL)
    assert slow_names.asked == 1
