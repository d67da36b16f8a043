"""The edge as a real HAProxy, before a server that answers what it was sent."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from deployments.cli.ports import has_ipv6_loopback
from deployments.edge.config import EdgeConfig
from deployments.edge.errors import EdgeUnavailableError
from deployments.edge.process import start_edge
from tests.cluster.server import free_port

pytestmark = pytest.mark.cluster

hung_up = threading.Event()


class Echo(BaseHTTPRequestHandler):
    """Answers path and headers; `/slow` waits until its client is gone."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.endswith("/slow"):
            self.connection.settimeout(10)
            try:
                gone = self.connection.recv(1) == b""
            except ConnectionResetError:
                gone = True
            if gone:
                hung_up.set()
            self.close_connection = True
            return
        body = json.dumps({"path": self.path, "headers": {key.lower(): v for key, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = EdgeConfig(
        port=free_port(),
        serve_port=server.server_address[1],
        applications={"plates": "/", "Doors": "/doors"},
        ipv6=has_ipv6_loopback(),
    )
    process = start_edge(config, tmp_path_factory.mktemp("edge"))
    yield config
    process.kill()
    process.wait()
    server.shutdown()


def get(edge, path: str = "/info", *, host: str | None = None, **headers: str) -> httpx.Response:
    sent = {"host": host} if host else {}
    return httpx.get(f"http://127.0.0.1:{edge.port}{path}", headers=sent | headers)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("127.0.0.1", "/info"),
        ("localhost:9001", "/info"),
        ("[::1]:9001", "/info"),
        ("plates.localhost:9001", "/info"),
        ("PLATES.localhost", "/info"),
        ("doors.localhost", "/doors/info"),
    ],
)
def test_a_host_leads_to_its_application(edge, host, path):
    answer = get(edge, host=host)
    assert answer.status_code == 200
    assert answer.json()["path"] == path
    assert answer.json()["headers"]["host"] == host


@pytest.mark.parametrize(("host", "status"), [("nobody.localhost", 404), ("example.com", 421), ("10.0.0.1:9001", 421)])
def test_other_hosts_are_refused_in_json(edge, host, status):
    answer = get(edge, host=host)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["message"], str)


def test_what_a_client_says_about_routing_is_overwritten(edge):
    headers = get(
        edge,
        **{
            "x-forwarded-host": "evil.example",
            "x-forwarded-for": "8.8.8.8",
            "x-sightline-timeout-seconds": "1",
            "x-request-disconnect-disabled": "?0",
            "serve_multiplexed_model_id": "m",
        },
    ).json()["headers"]
    assert headers["x-forwarded-host"] == f"127.0.0.1:{edge.port}"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-request-disconnect-disabled"] == "?1"
    forbidden = {"x-sightline-timeout-seconds", "serve_multiplexed_model_id"}
    assert not forbidden & set(headers)


def test_the_request_timeout_reaches_the_ingress_under_our_name(edge):
    headers = get(edge, **{"x-request-timeout-seconds": "2.5"}).json()["headers"]
    assert headers["x-sightline-timeout-seconds"] == "2.5"
    assert "x-request-timeout-seconds" not in headers


@pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
def test_it_listens_on_ipv6_too(edge):
    assert httpx.get(f"http://[::1]:{edge.port}/info").status_code == 200


def test_a_client_that_hangs_up_is_gone_for_the_application_too(edge):
    hung_up.clear()
    with socket.create_connection(("127.0.0.1", edge.port)) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)
    assert hung_up.wait(5)


def test_an_application_that_is_not_there_is_a_503_in_json(tmp_path):
    port = free_port(1)
    config = EdgeConfig(port=port, serve_port=port + 1, applications={"plates": "/"})
    process = start_edge(config, tmp_path)
    try:
        answer = get(config)
    finally:
        process.kill()
        process.wait()
    assert answer.status_code == 503
    assert "no application takes requests" in answer.json()["message"]


def test_a_configuration_that_haproxy_refuses_is_said_with_its_words(tmp_path):
    config = EdgeConfig(port=70000, serve_port=1, applications={"plates": "/"})
    with pytest.raises(EdgeUnavailableError, match="70000"):
        start_edge(config, tmp_path)
