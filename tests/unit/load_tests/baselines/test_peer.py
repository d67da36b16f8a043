import sys
import urllib.request
from pathlib import Path

import pytest

from load_tests.baselines.peer import Peer
from load_tests.target import TargetMissingError

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"peer")
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def write_peer(directory: Path, start: str) -> Path:
    (directory / "server.py").write_text(SERVER)
    for name, body in (
        ("start_peer.sh", start),
        ("stop_peer.sh", 'echo "$1" > stopped; kill $(cat pid) 2>/dev/null\n'),
    ):
        script = directory / name
        script.write_text(f'#!/bin/sh\ncd "$(dirname "$0")"\n{body}')
        script.chmod(0o755)
    return directory


def test_a_peer_is_started_asked_and_stopped(tmp_path):
    start = f"""
    echo "$@" > arguments
    {sys.executable} server.py "$1" & echo $! > pid
    for _ in $(seq 100); do
      {sys.executable} -c "from urllib.request import urlopen as ask; ask('http://127.0.0.1:$1/info')" && exit 0
      sleep 0.1
    done; exit 1
    """
    peer = Peer(write_peer(tmp_path, start), ("1", "models.json"), photograph=b"JPEG")
    with peer.running() as running:
        assert urllib.request.urlopen(f"{running.url}/info").read() == b"peer"
        assert running.photograph == b"JPEG"
        assert running.root_pid == int((tmp_path / "pid").read_text())
    port = running.url.rpartition(":")[2]
    assert (tmp_path / "arguments").read_text().split() == [port, "1", "models.json"]
    assert (tmp_path / "stopped").read_text().strip() == port
    with pytest.raises(OSError, match=r"refused|reset"):
        urllib.request.urlopen(f"{running.url}/info")


def test_a_peer_that_does_not_start_is_missing_and_stopped_all_the_same(tmp_path):
    peer = Peer(write_peer(tmp_path, "exit 3\n"))
    with pytest.raises(TargetMissingError, match="status 3"), peer.running():
        pass
    assert (tmp_path / "stopped").exists()


def test_a_folder_without_programs_is_no_peer(tmp_path):
    with pytest.raises(TargetMissingError, match=r"no start_peer\.sh"), Peer(tmp_path).running():
        pass
