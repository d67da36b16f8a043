"""A reference server that somebody has installed, in a folder with a way to start and to stop it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from load_tests.started import free_port
from load_tests.target import RunningTarget, TargetMissingError

START = "start_peer.sh"
STOP = "stop_peer.sh"
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of the same HTTP that is not ours.

    Its folder holds two programs:

    - `start_peer.sh PORT [ARGUMENT...]` starts it on 127.0.0.1:PORT in the background, and ends with status 0 once
      `GET /info` is answered there, with another status when that cannot be;
    - `stop_peer.sh PORT` ends what the other one started.

    Attributes:
        directory: that folder.
        arguments: what `start_peer.sh` is given behind the port, such as how many workers and which models.
        models: id of a model as scenarios write it -> id that it is asked for.
        photograph: JPEG with what its own models take for one plate; None to show it what all others are shown.
    """

    directory: Path
    arguments: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    photograph: bytes | None = None
    name: str = "peer"
    about: str = "the reference server, with models of its own"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Start it and stop it.

        Raises:
            TargetMissingError: the folder lacks one of the programs, or the server is not installed.
        """
        start, stop = self.directory.resolve() / START, self.directory.resolve() / STOP
        for program in (start, stop):
            if not program.is_file():
                raise TargetMissingError(f"{self.directory} holds no {program.name}; it must start and stop the server")
        port, began_s = free_port(), time.monotonic()
        try:
            said = subprocess.run(  # noqa: S603 - named on the command line
                [str(start), str(port), *self.arguments],
                check=False,
                timeout=START_TIMEOUT_S,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server
                stderr=subprocess.DEVNULL,
            )
            if said.returncode:
                raise TargetMissingError(f"{START} ended with status {said.returncode}; is the server installed?")
            start_s = time.monotonic() - began_s
            yield RunningTarget(
                url=f"http://127.0.0.1:{port}",
                root_pid=listener(port),
                start_s=start_s,
                paths={"/healthz": "/info"},
                models=self.models,
                photograph=self.photograph,
            )
        finally:
            subprocess.run([str(stop), str(port)], check=False, timeout=STOP_TIMEOUT_S, stdin=subprocess.DEVNULL)  # noqa: S603


def listener(port: int) -> int | None:
    """The process that listens on a port of loopback; of several that share it the one all others are below."""
    found = [
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid
    ]
    below = {child.pid for pid in found for child in psutil.Process(pid).children(recursive=True)}
    return next((pid for pid in found if pid not in below), None)
