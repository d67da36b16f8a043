"""The command as a user calls it, and servers that it fetches models from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deployments.models.builders import write_package

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 240


@dataclass
class Command:
    """`sightline models` with a data folder of its own."""

    data_home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Begin a run that answers in JSON."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(self.data_home)} | self.environment
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.cli.main", "models", *map(str, arguments), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __call__(self, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
        """Exit status and answer of one run."""
        return answer_of(self.start(*arguments))

    def listed(self) -> list[str]:
        """Ids of the models that were added."""
        return [row["model_id"] for row in self("list")[1]["models"]]


def answer_of(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of a run that was begun."""
    printed, complaints = process.communicate(timeout=WITHIN_S)
    assert printed, complaints
    return process.returncode, json.loads(printed)


@pytest.fixture
def models(tmp_path: Path) -> Command:
    return Command(tmp_path / "data")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_package(tmp_path / "plates" / "2")


@dataclass
class WebServer:
    """Files by path, and how each is sent."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    sent_bytes: dict[str, int] = field(default_factory=dict)
    """Of these files only so much is sent."""
    stalls: bool = False
    """Whether what is cut short is left open, as by a network that hangs, rather than closed."""
    half_sent: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def web_server() -> Iterator[Callable[..., WebServer]]:
    """Starts web servers."""
    servers: list[ThreadingHTTPServer] = []

    def start(tls: Any = None) -> WebServer:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._head()

            def do_GET(self) -> None:
                content = self._head()
                if content is None:
                    return
                path = self.path.partition("?")[0]
                web.fetched.append(self.path)
                sent_bytes = web.sent_bytes.get(path, len(content))
                self.wfile.write(content[:sent_bytes])
                self.wfile.flush()
                if sent_bytes < len(content):
                    web.half_sent.set()
                    if web.stalls:
                        web.go_on.wait(WITHIN_S)
                    self.close_connection = True

            def _head(self) -> bytes | None:
                content = web.files.get(self.path.partition("?")[0])
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                if content is not None:
                    self.send_header("ETag", f'"{hash(content)}"')
                self.end_headers()
                return content

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        web = WebServer(url=f"{'http' if tls is None else 'https'}://localhost:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return web

    yield start
    for server in servers:
        server.shutdown()


def put(web: WebServer, folder: Path, at: str) -> None:
    """Have a server offer the files of a folder."""
    for path in folder.iterdir():
        web.files[f"{at}/{path.name}"] = path.read_bytes()
