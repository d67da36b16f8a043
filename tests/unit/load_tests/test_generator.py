"""Against a real server in a thread: this module is about sockets."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from load_tests.generator import Progress, closed_loop, empty_log, open_loop, run_loop, side_by_side
from load_tests.http_connection import encode_request
from load_tests.statistics import server_timing_ms, summary_of
from tests.unit.load_tests.stalling_server import stalling_server


def requests(url: str, body: bytes = b""):
    return itertools.repeat(encode_request(url, "POST" if body else "GET", "/", {}, body))


def constant(count: int, duration_s: float) -> np.ndarray:
    return np.linspace(0, duration_s, count, endpoint=False)


def test_a_stall_of_a_second_is_seen_by_the_open_loop_and_hidden_by_the_closed_one() -> None:
    """400 requests over 4 s, while the server stands still for 1 s: every fourth waits, half a second on average."""
    with stalling_server() as server:
        server.stall_at, server.stall_s = 200, 1.0
        opened = summary_of(run_loop(open_loop(server.url, requests(server.url), constant(400, 4), timeout_s=30)), None)
        server.requests = 0
        closed = summary_of(
            run_loop(closed_loop(server.url, requests(server.url), clients=1, duration_s=4, timeout_s=30)), None
        )
    assert opened["good"] == 400
    assert opened["latency"].p99_ms > 900
    assert opened["latency"].p90_ms > 500  # a quarter of all was due while it stood still, one in ten waited over 0.6 s
    assert closed["good"] > 200
    assert closed["latency"].max_ms > 900
    assert closed["latency"].p99_ms < 500  # one request of hundreds met it


def test_every_request_is_sent_once_and_connections_are_kept() -> None:
    with stalling_server() as server:
        progress = Progress()
        log = run_loop(
            open_loop(server.url, requests(server.url, b"{}" * 5000), constant(50, 1), timeout_s=30, progress=progress)
        )
        assert server.requests == 50
        assert server.connections < 50
    assert (progress.sent, progress.answered, progress.good) == (50, 50, 50)
    assert (log.status == 200).all()
    assert (log.done_s >= log.sent_s).all()
    assert (log.sent_s >= log.intended_s).all()
    assert server_timing_ms(log.server_timings) == {"work": 1.5}


def test_a_closed_loop_has_no_more_requests_under_way_than_clients() -> None:
    with stalling_server() as server:
        log = run_loop(closed_loop(server.url, requests(server.url), clients=3, duration_s=0.3, timeout_s=30))
        assert server.connections == 3
        assert server.requests == len(log.status)
    assert (log.concurrency, log.loop) == (3, "closed")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (None, "connection lost"),
        (b"HELLO\r\n\r\n", "no HTTP"),
    ],
)
def test_errors_are_told_by_kind(answer: bytes | None, kind: str) -> None:
    with stalling_server() as server:
        server.answers[1] = answer
        log = run_loop(open_loop(server.url, requests(server.url), constant(1, 1), timeout_s=30))
    assert summary_of(log, None)["errors"] == {kind: 1}


def test_a_kept_connection_that_the_server_closed_is_not_an_error() -> None:
    with stalling_server() as server:
        server.answers[2] = None
        log = run_loop(open_loop(server.url, requests(server.url), np.array([0.0, 0.5]), timeout_s=30))
        assert server.requests == 3
    assert (log.status == 200).all()
    assert summary_of(log, None)["repeated"] == 1


def test_an_answer_that_does_not_come_is_given_up() -> None:
    with stalling_server() as server:
        server.stall_at, server.stall_s = 1, 1.5
        log = run_loop(open_loop(server.url, requests(server.url), constant(2, 0.1), timeout_s=0.5))
    assert summary_of(log, None)["errors"] == {"timeout": 2}


def test_a_server_that_is_not_there_refuses() -> None:
    log = run_loop(open_loop("http://127.0.0.1:1", requests("http://x"), constant(3, 0.1), timeout_s=5))
    assert summary_of(log, None)["errors"] == {"connection refused": 3}


def test_what_others_raise_beside_a_load_is_raised() -> None:
    async def main():
        await asyncio.sleep(0)
        return empty_log("open", 0, 0.0)

    async def broken():
        raise ValueError("no such picture")

    async def endless():
        await asyncio.Event().wait()

    with pytest.raises(ValueError, match="no such picture"):
        run_loop(side_by_side(main(), [endless, broken]))
    assert len(run_loop(side_by_side(main(), [endless])).status) == 0


def test_a_closed_loop_that_is_cancelled_asks_no_more() -> None:
    progress = Progress()

    async def cancelled(url: str) -> int:
        loop = closed_loop(url, requests(url), clients=2, duration_s=30, timeout_s=30, progress=progress)
        task = asyncio.ensure_future(loop)
        while progress.good < 2:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        sent = progress.sent
        await asyncio.sleep(0.05)
        return progress.sent - sent

    with stalling_server() as server:
        assert run_loop(cancelled(server.url)) == 0
    assert (progress.answered, progress.errors) == (progress.good, {})


def test_a_schedule_without_requests_ends_at_once() -> None:
    log = run_loop(open_loop("http://127.0.0.1:1", requests("http://x"), np.empty(0), timeout_s=5))
    assert len(log.status) == 0


def test_a_request_has_its_host_and_length() -> None:
    assert encode_request("http://127.0.0.1:9001", "POST", "/a", {"Host": "plates.localhost"}, b"{}") == (
        b"POST /a HTTP/1.1\r\nHost: plates.localhost\r\nContent-Length: 2\r\n\r\n{}"
    )
    with pytest.raises(ValueError, match="line break"):
        encode_request("http://x", "GET", "/", {"X": "a\r\nb"})
