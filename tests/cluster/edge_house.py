"""A real edge before servers that say what they were sent, and requests written byte by byte."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deployments.edge.certificate_watch import CertificateWatch
from deployments.edge.config import EdgeConfig, TlsFiles
from deployments.edge.process import start_edge
from deployments.edge.runtime import RunningEdge
from tests.cluster.server import free_port

ENDPOINTS = {
    "alpha": "/@alpha.r00000001",
    "beta-2": "/@beta-2.r00000002",
    "alph": "/@alph.r00000003",  # begins as another one does
    "paused": "=paused",
    "starting": "=pending",
    "cams.example.org": "/@beta-2.r00000002",
}


@dataclass(frozen=True)
class Answer:
    """What came back: the status, who answered, and what that server saw."""

    status: int
    who: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class EdgeHouse:
    """An edge that runs."""

    port: int
    running: RunningEdge
    tls_port: int | None = None
    watch: CertificateWatch | None = None
    said: list[str] = field(default_factory=list)

    def send(self, raw: bytes) -> Answer | None:
        """The answer to bytes of a request; None when the connection ends without one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(raw)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head:
            return None
        status = int(head.split(b" ", 2)[1])
        try:
            seen = json.loads(body)
        except ValueError:
            seen = {}
        who = seen.get("who", "edge") if isinstance(seen, dict) else "edge"
        if who == "edge":
            return Answer(status, who, "", {}, body)
        return Answer(status, who, seen["path"], seen["headers"], body)


def request(*hosts: str, target: str = "/info", method: str = "GET", more: tuple[str, ...] = ()) -> bytes:
    """A request with these Host lines."""
    lines = [f"{method} {target} HTTP/1.1", *(f"Host: {host}" for host in hosts), *more, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _echo(who: str) -> ThreadingHTTPServer:
    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            target = self.requestline.split(" ")[1]  # `path` has lost slashes
            body = json.dumps({"who": who, "path": target, "headers": headers}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_HEAD = _answer

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@contextmanager
def edge_house(
    directory: Path,
    trusted_proxies: tuple[str, ...] = (),
    *,
    tls_files: TlsFiles | None = None,
    domain: str = "localhost",
) -> Iterator[EdgeHouse]:
    """An edge before a cluster and a control plane, with endpoints in every state."""
    cluster, control = _echo("cluster"), _echo("control")
    port = free_port(1)
    said: list[str] = []
    watch = None if tls_files is None else CertificateWatch(tls_files, directory, domain, said.append)
    config = EdgeConfig(
        port=port,
        tls_port=None if tls_files is None else port + 1,
        domain=domain,
        serve_port=cluster.server_address[1],
        control_port=control.server_address[1],
        applications={"plates": "/", "Doors": "/doors"},
        trusted_proxies=trusted_proxies,
    )
    process = start_edge(config, directory)
    try:
        running = RunningEdge(config, directory)
        running.lead(ENDPOINTS)
        yield EdgeHouse(config.port, running, config.tls_port, watch, said)
    finally:
        process.kill()
        process.wait()
        cluster.shutdown()
        control.shutdown()
