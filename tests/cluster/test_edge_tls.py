"""TLS at the real HAProxy: clients that verify, and certificates that are replaced while they ask."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import grpc
import httpx
import pytest

from deployments.edge.admin_socket import socket_path
from deployments.edge.certificate import read_certificate
from deployments.edge.config import CERTIFICATE_FILE, EdgeConfig
from deployments.edge.process import start_edge
from tests.cluster.edge_house import edge_house
from tests.cluster.server import free_port
from tests.unit.deployments.edge.certificates import DAY, Authority, tls_files

pytestmark = pytest.mark.cluster

DOMAIN = "example.test"
HOSTS = (DOMAIN, f"*.{DOMAIN}")
ALPHA = f"alpha.{DOMAIN}"
REPLACEMENTS = 10


class House:
    """An edge with a certificate, and clients that trust who signed it."""

    def __init__(self, edge, authority, files, directory):
        self.edge, self.authority, self.files, self.directory = edge, authority, files, directory

    @contextmanager
    def client(self, host=ALPHA, **more):
        trusting = ssl.create_default_context(cafile=self.authority.path)
        url = f"https://127.0.0.1:{self.edge.tls_port}"
        with httpx.Client(verify=trusting, base_url=url, headers={"host": host}, timeout=30, **more) as client:
            yield client

    def get(self, client, host=ALPHA):
        return client.get("/info", headers={"host": host}, extensions={"sni_hostname": host})

    def serial(self):
        """Of the certificate that a new connection is shown."""
        trusting = ssl.create_default_context(cafile=self.authority.path)
        with (
            socket_to(self.edge.tls_port) as plain,
            trusting.wrap_socket(plain, server_hostname=ALPHA) as connection,
        ):
            return int(connection.getpeercert()["serialNumber"], 16)

    def replace(self, issued):
        """Other files, and the two looks after which they are taken."""
        issued.write(self.files)
        self.look_twice()

    def look_twice(self):
        self.edge.watch.check()
        self.edge.watch.check()


def socket_to(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


@contextmanager
def running_house(tmp_path):
    authority = Authority(tmp_path / "authority")
    files = authority.issue(*HOSTS).write(tls_files(tmp_path / "owner"))
    with edge_house(tmp_path / "edge", tls_files=files, domain=DOMAIN) as edge:
        yield House(edge, authority, files, tmp_path / "edge")


@pytest.fixture
def house(tmp_path):
    with running_house(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def resting_house(tmp_path_factory):
    """One whose certificate nobody replaces."""
    with running_house(tmp_path_factory.mktemp("resting")) as started:
        yield started


def test_endpoints_answer_by_their_names_to_clients_that_verify(house):
    for host, prefix in ((ALPHA, "/@alpha.r00000001"), (f"beta-2.{DOMAIN}", "/@beta-2.r00000002"), (DOMAIN, "")):
        with house.client() as client:
            answer = house.get(client, host)
        assert answer.status_code == 200
        assert answer.json()["path"] == f"{prefix}/info"
        assert answer.json()["headers"]["x-forwarded-proto"] == "https"
    with house.client() as client, pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
        house.get(client, "cams.example.org")
    plain = httpx.get(f"http://127.0.0.1:{house.edge.port}/info", headers={"host": ALPHA})
    assert plain.json()["headers"]["x-forwarded-proto"] == "http"


def test_what_endpoints_are_not_there_is_said_over_tls_as_without(house):
    with house.client() as client:
        assert house.get(client, f"nobody.{DOMAIN}").status_code == 404
        assert house.get(client, f"paused.{DOMAIN}").json()["status"] == "paused"
        answer = client.get("/info", headers={"host": "other.test"}, extensions={"sni_hostname": ALPHA})
        assert answer.status_code == 421


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1"], []])
def test_the_protocol_is_agreed_upon_in_the_handshake(house, offered):
    context = ssl.create_default_context(cafile=house.authority.path)
    if offered:
        context.set_alpn_protocols(offered)
    with (
        socket_to(house.edge.tls_port) as plain,
        context.wrap_socket(plain, server_hostname=ALPHA) as connection,
    ):
        assert connection.selected_alpn_protocol() == (offered[0] if offered else None)


def test_old_versions_of_tls_are_refused(house):
    context = ssl.create_default_context(cafile=house.authority.path)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket_to(house.edge.tls_port) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname=ALPHA)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: no client of HTTP/2")
def test_http_2_leads_where_http_1_leads(house):
    url = f"https://{ALPHA}:{house.edge.tls_port}/info?x=1"
    resolved = ("--resolve", f"{ALPHA}:{house.edge.tls_port}:127.0.0.1")
    command = ["curl", "-s", "--http2", "--cacert", house.authority.path, *resolved, "-w", "\n%{http_version}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    body, _, version = done.stdout.rpartition("\n")
    assert version == "2"
    assert '"/@alpha.r00000001/info?x=1"' in body
    assert '"x-forwarded-proto": "https"' in body


def over_http_2(port, trusted, *headers):
    """The body of the answer to a request, written frame by frame; None when there is none (RFC 9113, RFC 7541)."""
    context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["h2"])
    block = b"".join(b"\0" + text(name) + text(value) for name, value in headers)  # literals that nobody remembers
    with socket_to(port) as plain, context.wrap_socket(plain, server_hostname=ALPHA) as connection:
        connection.settimeout(20)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 5, 1, block))
        received, body = b"", b""
        while part := connection.recv(65536):
            received += part
            while len(received) >= 9 and len(received) >= 9 + (length := int.from_bytes(received[:3], "big")):
                kind, flags, content = received[3], received[4], received[9 : 9 + length]
                received = received[9 + length :]
                if kind == 0:
                    body += content
                if kind in (3, 7) or (kind in (0, 1) and flags & 1):  # reset, goodbye, the end of the answer
                    return body or None
    return body or None


def text(value):
    return bytes([len(value)]) + value.encode()


def frame(kind, flags, stream, content):
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


PLAIN = ((":method", "GET"), (":scheme", "https"), (":path", "/info"))
BETA = f"beta-2.{DOMAIN}"


@pytest.mark.parametrize(
    ("headers", "leads_to"),
    [
        ((*PLAIN, (":authority", ALPHA)), {"alpha"}),
        ((*PLAIN, (":authority", ALPHA.upper())), {"alpha"}),
        ((*PLAIN, (":authority", f"{ALPHA}:443")), {"alpha"}),
        ((*PLAIN, (":authority", ALPHA), ("host", ALPHA)), {"alpha"}),
        ((*PLAIN, ("host", ALPHA)), {"alpha"}),
        ((*PLAIN, (":authority", ALPHA), ("host", BETA)), {"alpha", None}),
        ((*PLAIN, ("host", ALPHA), ("host", BETA)), {"alpha", None}),
        ((*PLAIN, (":authority", ALPHA), (":authority", BETA)), {None}),
        ((*PLAIN, (":authority", f"{ALPHA}@{BETA}")), {None}),
        ((*PLAIN, (":authority", f"{ALPHA},{BETA}")), {None}),
        ((*PLAIN, (":authority", ALPHA), ("x-forwarded-host", BETA)), {"alpha"}),
        ((*PLAIN[:2], (":path", f"https://{BETA}/info"), (":authority", ALPHA)), {"alpha", None}),
        ((*PLAIN[:2], (":path", "info"), (":authority", ALPHA)), {None}),
        (PLAIN, {None}),
    ],
)
def test_no_way_to_say_a_host_in_http_2_leads_to_another_endpoint(resting_house, headers, leads_to):
    body = over_http_2(resting_house.edge.tls_port, resting_house.authority.path, *headers)
    try:
        seen = json.loads(body or b"{}")
    except ValueError:
        seen = {}
    led_to = seen["path"].removeprefix("/@").partition(".")[0] if "path" in seen else None
    assert led_to in leads_to
    if led_to is not None:  # what is behind the edge reads the same host
        assert {seen["headers"][name].lower().partition(":")[0] for name in ("host", "x-forwarded-host")} == {ALPHA}


def test_an_edge_that_did_not_answer_is_given_the_same_files_again(house):
    issued = house.authority.issue(*HOSTS)
    way_in = socket_path(house.directory)
    way_in.rename(house.directory / "away")
    house.replace(issued)
    house.look_twice()
    assert house.serial() != issued.certificate.serial_number
    assert len([line for line in house.edge.said if "NOT REPLACED" in line]) == 1
    (house.directory / "away").rename(way_in)
    house.look_twice()
    assert house.serial() == issued.certificate.serial_number


def test_grpc_is_spoken_over_tls_too(tmp_path):
    """Refused by the edge itself, in words of gRPC: there is no cluster behind it here."""
    authority = Authority(tmp_path / "authority")
    read_certificate(authority.issue(*HOSTS).write(tls_files(tmp_path))).write(tmp_path / "edge" / CERTIFICATE_FILE)
    port = free_port(2)
    config = EdgeConfig(
        port=port, tls_port=port + 1, grpc_port=port + 2, serve_port=9, applications={"plates": "/"}, domain=DOMAIN
    )
    edge = start_edge(config, tmp_path / "edge")
    try:
        trusting = grpc.ssl_channel_credentials(authority.path.read_bytes())
        options = [("grpc.ssl_target_name_override", f"nobody.{DOMAIN}")]
        with grpc.secure_channel(f"127.0.0.1:{port + 2}", trusting, options) as channel:
            ask = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
            with pytest.raises(grpc.RpcError) as refusal:
                ask(b"", timeout=30)
        assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
        assert DOMAIN in refusal.value.details()
    finally:
        edge.kill()
        edge.wait()


def test_a_certificate_is_replaced_under_load_without_a_failed_request(house):
    """On connections that stay, and on new ones; those that stay go on with the certificate that they began with."""
    failures, counts = [], {"kept": 0, "new": 0}
    over = threading.Event()

    def ask(kind):
        with house.client() as kept:
            while not over.is_set():
                try:
                    if kind == "kept":
                        status = house.get(kept).status_code
                    else:
                        with house.client() as client:
                            status = house.get(client).status_code
                    if status != 200:
                        failures.append(status)
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                counts[kind] += 1

    threads = [threading.Thread(target=ask, args=(kind,)) for kind in ("kept", "kept", "new", "new")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(REPLACEMENTS):
            before = dict(counts)
            issued = house.authority.issue(*HOSTS)
            house.replace(issued)
            assert house.serial() == issued.certificate.serial_number
            deadline_s = time.monotonic() + 60
            while any(counts[kind] < before[kind] + 20 for kind in counts):
                assert time.monotonic() < deadline_s, (counts, failures[:3])
                time.sleep(0.01)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert sum("TLS certificate replaced: for" in line for line in house.edge.said) == REPLACEMENTS


def test_a_pair_that_cannot_be_used_is_refused_once_and_the_old_one_stays(house):
    before = house.serial()
    other = house.authority.issue(*HOSTS)
    for break_it, said in (
        (lambda: house.files.key.write_bytes(other.key()), "is not the one of the certificate"),
        (lambda: house.files.certificate.write_bytes(b"nothing"), "holds no certificate"),
        (lambda: house.authority.issue(*HOSTS, ends_in=-DAY, begins_in=-2 * DAY).write(house.files), "expired"),
        (lambda: house.files.key.unlink(), "cannot be read"),
    ):
        told = len(house.edge.said)
        break_it()
        house.look_twice()
        house.look_twice()
        [line] = house.edge.said[told:]
        assert line.startswith("TLS CERTIFICATE NOT REPLACED")
        assert said in line
        assert house.serial() == before
    house.replace(other)
    assert house.serial() == other.certificate.serial_number


def test_files_are_read_when_both_have_come_to_rest(house):
    """Certificate first, key a moment later: nobody is told of a pair that does not match."""
    issued, told = house.authority.issue(*HOSTS), len(house.edge.said)
    house.files.certificate.write_bytes(issued.chain)
    house.edge.watch.check()
    house.files.key.write_bytes(issued.key())
    house.look_twice()
    assert house.serial() == issued.certificate.serial_number
    assert len(house.edge.said) == told + 1


def test_an_edge_that_starts_again_shows_the_certificate_of_the_end(house):
    issued = house.authority.issue(*HOSTS)
    house.replace(issued)
    assert (house.directory / CERTIFICATE_FILE).read_text().startswith(issued.chain.decode()[:400])


def test_its_end_is_announced_once_a_day(house):
    now = datetime.now(UTC)
    told = len(house.edge.said)
    for days in (60, 70, 70.5, 71.1, 91):
        house.edge.watch.check(now + timedelta(days=days))
    announced = [line.partition(" (")[0] for line in house.edge.said[told:]]
    assert announced == [
        "TLS CERTIFICATE EXPIRES IN 19 DAYS",
        "TLS CERTIFICATE EXPIRES IN 18 DAYS",
        "TLS CERTIFICATE HAS EXPIRED",
    ]


def test_one_for_other_hosts_is_taken_and_said(house):
    house.replace(house.authority.issue("*.example.com"))
    [warning] = [line for line in house.edge.said if "does not hold" in line]
    assert f"does not hold for {DOMAIN} and *.{DOMAIN}" in warning
