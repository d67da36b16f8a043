"""The middleware under bare ASGI: scripts of what the connection does, lists of what it was sent."""

import asyncio
import json
import logging

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from deployments.dataplane.admission import Admission
from deployments.ingress.errors import ClientClosedError
from deployments.ingress.exchange import Exchange, ExchangeMiddleware, while_connected
from deployments.settings import AdmissionLimits, IngressSettings

LIMIT = 100
SETTINGS = IngressSettings(max_body_bytes=LIMIT)


async def talk(app, *chunks, headers=(), path="/x", admission=None):
    """What `app` sends to a client that posts `chunks`: status, headers, body."""
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    sent = []

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"api_key=secret", "headers": raw}
    admission = admission or Admission(SETTINGS.admission)
    await ExchangeMiddleware(app, lambda: SETTINGS, lambda: admission)(scope, receive, send)
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(m.get("body", b"") for m in sent[1:])


async def echo(scope, receive, send):
    request = Request(scope, receive)
    await PlainTextResponse(await request.body())(scope, receive, send)


async def never_reached(scope, receive, send):
    raise AssertionError("the request should have been refused")


async def test_a_body_as_large_as_allowed_passes():
    status, _, body = await talk(echo, b"x" * 60, b"x" * 40)
    assert (status, body) == (200, b"x" * 100)


async def test_a_body_that_announces_too_much_is_refused_before_it_is_read():
    status, headers, body = await talk(never_reached, headers=[("Content-Length", str(LIMIT + 1))])
    assert status == 413
    assert list(json.loads(body)) == ["message"]
    assert headers["connection"] == "close"


async def test_a_body_that_grows_too_large_is_refused_while_it_is_read():
    status, _, body = await talk(echo, b"x" * 60, b"x" * 41)
    assert status == 413
    assert "100" in json.loads(body)["message"]


def length(size_bytes):
    return [("Content-Length", str(size_bytes))]


async def test_a_body_is_counted_while_its_request_is_answered_and_no_longer():
    admission = Admission(SETTINGS.admission)
    seen = []

    async def app(scope, receive, send):
        seen.append((admission.counters.in_flight, admission.counters.in_flight_bytes))
        await echo(scope, receive, send)

    status, _, _ = await talk(app, b"x" * 60, headers=length(60), admission=admission)
    assert (status, seen) == (200, [(1, 240)])  # 4 bytes of memory each
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (0, 0)


async def test_a_body_that_does_not_fit_into_the_budget_is_refused_before_it_is_read():
    admission = Admission(AdmissionLimits(max_in_flight_bytes=90, bytes_per_body_byte=1))
    admission.enter(40)
    status, headers, body = await talk(never_reached, headers=length(51), admission=admission)
    assert status == 503
    assert list(json.loads(body)) == ["message"]
    assert headers["retry-after"] == "1"
    assert "connection" not in headers  # cut in the middle of its body, it would lose the answer
    assert admission.counters.in_flight_bytes == 40


async def test_a_body_of_unknown_length_is_refused_when_it_outgrows_the_budget():
    admission = Admission(AdmissionLimits(max_in_flight_bytes=90, bytes_per_body_byte=1))
    admission.enter(40)
    chunked = [("Transfer-Encoding", "chunked")]
    assert (await talk(echo, b"x" * 30, b"x" * 20, headers=chunked, admission=admission))[0] == 200
    status, headers, _ = await talk(echo, b"x" * 30, b"x" * 21, headers=chunked, admission=admission)
    assert (status, headers["retry-after"]) == (503, "1")
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (1, 40)


async def test_a_body_that_never_comes_gives_its_place_back():
    admission = Admission(SETTINGS.admission)
    settings = SETTINGS.model_copy(update={"default_timeout_s": 0.01})
    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b""}
    scope["headers"] = [(b"content-length", b"9")]
    sent = []

    async def receive():
        assert admission.counters.in_flight == 1
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    await ExchangeMiddleware(echo, lambda: settings, lambda: admission)(scope, receive, send)
    assert sent[0]["status"] == 504
    assert admission.counters.in_flight == 0


async def test_a_key_that_has_too_much_under_way_is_told_so():
    admission = Admission(AdmissionLimits(max_in_flight_per_client=1))
    admission.enter(client="secret")
    status, _, body = await talk(never_reached, headers=length(5), admission=admission)
    assert status == 429
    assert "secret" not in body.decode()


async def test_a_request_without_a_body_takes_no_place():
    admission = Admission(AdmissionLimits(max_in_flight=1, min_in_flight=1))
    admission.enter()
    assert (await talk(echo, admission=admission))[0] == 200


async def test_a_request_that_breaks_gives_its_place_back():
    admission = Admission(AdmissionLimits())

    async def broken(scope, receive, send):
        raise ZeroDivisionError("inside")

    await talk(broken, headers=length(5), admission=admission)
    assert (admission.counters.in_flight, admission.counters.in_flight_bytes) == (0, 0)
    assert admission.rate_s == 0.0


async def test_every_answer_carries_the_request_id():
    _, headers, _ = await talk(echo, headers=[("X-Request-ID", "mine")])
    assert headers["x-request-id"] == "mine"
    assert headers["x-inference-engine"] == "inference-models"


async def test_what_nobody_foresaw_is_a_500_with_the_standing_headers():
    async def broken(scope, receive, send):
        raise ZeroDivisionError("inside")

    status, headers, body = await talk(broken)
    assert status == 500
    assert json.loads(body) == {"message": "Internal error."}
    assert "x-request-id" in headers


async def test_one_line_is_logged_without_the_query(caplog):
    with caplog.at_level(logging.INFO, logger="deployments.ingress.access"):
        await talk(echo, b"pixels", headers=[("Authorization", "Bearer secret")])
    (record,) = caplog.records
    assert record.status == 200
    assert record.path == "/x"
    assert "secret" not in str(record.__dict__)


def connected(*events):
    """A request whose connection tells `events`, then nothing for ever."""
    told = list(events)

    async def receive():
        if told:
            return told.pop(0)
        return await asyncio.Future()

    return Request({"type": "http", "headers": [], "state": {"exchange": Exchange(request_id="x")}}, receive)


async def test_a_client_that_hangs_up_cancels_its_work():
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    with pytest.raises(ClientClosedError):
        await while_connected(connected({"type": "http.disconnect"}), work())
    assert cancelled.is_set()
    assert not asyncio.current_task().cancelling()  # what comes after is not cancelled too


async def test_a_connection_that_fails_is_one_that_was_hung_up():
    async def receive():
        raise OSError("reset")

    with pytest.raises(ClientClosedError):
        await while_connected(Request({"type": "http", "headers": []}, receive), asyncio.sleep(60))


async def test_a_hang_up_does_not_hide_that_the_call_was_cancelled_too():
    hang_up = asyncio.Event()

    async def receive():
        await hang_up.wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": [], "state": {}}, receive)
    waiting = asyncio.create_task(while_connected(request, asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    hang_up.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_client_that_stays_gets_the_result():
    async def work():
        return 5

    assert await while_connected(connected(), work()) == 5


async def test_the_error_of_the_work_comes_through():
    async def work():
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        await while_connected(connected(), work())


async def test_work_is_cancelled_with_the_call_that_waits_for_it():
    cancelled = asyncio.Event()

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    waiting = asyncio.create_task(while_connected(connected(), work()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert cancelled.is_set()
