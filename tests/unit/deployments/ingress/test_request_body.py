"""What a body is counted for before it is read, and while."""

import logging

import httpx
import pytest

from deployments.dataplane.service import WorkflowService
from deployments.ingress.app import create_app
from deployments.settings import MEBIBYTE, AdmissionLimits, IngressSettings
from tests.unit.deployments.fake_backend import FakeBackend


@pytest.fixture
async def asked():
    """A client, and the admission of its server, whose budget is 64 MiB."""
    settings = IngressSettings(admission=AdmissionLimits(max_in_flight_bytes=64 * MEBIBYTE, bytes_per_body_byte=3))
    service = WorkflowService(FakeBackend(), settings)
    transport = httpx.ASGITransport(app=create_app(lambda: service))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        yield client, service.admission


async def run(client: httpx.AsyncClient, values: str) -> httpx.Response:
    body = f'{{"specification": {{"version": "1.0"}}, "inputs": {{"x": [{values}]}}}}'
    return await client.post("/workflows/run", content=body.encode())


async def test_a_body_whose_values_take_more_memory_than_all_of_it_is_refused_for_good(asked):
    client, admission = asked
    answer = await run(client, "[]," * 600_000 + "[]")  # 1.8 MB of text, 77 MB of lists
    assert answer.status_code == 413
    assert "send fewer" in answer.json()["message"]
    assert admission.counters.in_flight_bytes == 0


async def test_a_body_whose_values_do_not_fit_beside_the_others_is_refused_for_now(asked):
    client, admission = asked
    admission.enter(40 * MEBIBYTE)
    answer = await run(client, "[]," * 300_000 + "[]")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert admission.counters.in_flight_bytes == 40 * MEBIBYTE


@pytest.mark.parametrize("values", ["", "0", "[]," * 10_000 + "[]", "0," * 200_000 + "0"])
async def test_other_bodies_are_read(asked, values):
    client, admission = asked
    answer = await run(client, values)
    assert answer.status_code == 400
    assert "the definition has no" in answer.json()["message"]
    assert admission.counters.in_flight_bytes == 0


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/workflows/run", "application/json"),
        ("/v2/models/plates/1/infer", "application/json"),
        ("/plates/1", "application/x-www-form-urlencoded"),
        ("/plates/1", "multipart/form-data; boundary=x"),
    ],
)
async def test_a_client_that_hangs_up_while_it_sends_is_no_failure_of_ours(path, content_type, caplog):
    caplog.set_level(logging.INFO)
    service = WorkflowService(FakeBackend(), IngressSettings())
    parts = [{"type": "http.request", "body": b"--x", "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return parts.pop(0)

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", content_type.encode()), (b"content-length", b"100")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await create_app(lambda: service)(scope, receive, send)
    assert sent[0]["status"] == 499
    (line,) = [record for record in caplog.records if record.getMessage() == "request"]
    assert (line.status, line.error) == (499, "ClientClosedError")
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


class Fetcher:
    """Gives a picture in the place of any address, and remembers what the server was counted for with it."""

    def __init__(self, png):
        self.png = png
        self.admission = None
        self.counted_bytes = []

    async def fetch(self, url, count):
        before_bytes = self.admission.counters.in_flight_bytes
        count(len(self.png))
        self.counted_bytes.append(self.admission.counters.in_flight_bytes - before_bytes)
        return self.png


@pytest.mark.parametrize("path", ["/workflows/run", "/infer/object_detection"])
async def test_images_behind_addresses_are_counted_as_those_in_bodies_are(path, png, specification):
    fetcher = Fetcher(png)
    service = WorkflowService(FakeBackend(), IngressSettings(admission=AdmissionLimits(bytes_per_body_byte=3)), fetcher)
    fetcher.admission = service.admission
    image = {"type": "url", "value": "https://images.example.com/a.png"}
    body = {"specification": specification, "inputs": {"image": image}, "model_id": "plates/1", "image": image}
    transport = httpx.ASGITransport(app=create_app(lambda: service))
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        assert (await client.post(path, json=body)).status_code == 200
    assert fetcher.counted_bytes == [3 * len(png)]
    assert service.admission.counters.in_flight_bytes == 0
