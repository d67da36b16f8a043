"""A PostgreSQL server of the tests' own: Debian's binaries, a data folder that is gone afterwards, a free port."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

WITHIN_S = 120
USER = "postgres"


def missing() -> str | None:
    """What keeps a server from being started here; None when nothing does."""
    if _binaries() is None:
        return "PostgreSQL's server (initdb, postgres) is not installed: apt-get install postgresql"
    if os.getuid() == 0 and not _has_user():
        return f"PostgreSQL does not run as root, and there is no user {USER}"
    return None


class Server:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
    """

    def __init__(self, directory: Path) -> None:
        """Make a cluster of databases in `directory`, and start it."""
        binaries = _binaries()
        assert binaries is not None
        self._binaries, self._data, self._log = binaries, directory / "data", directory / "server.log"
        self._password = secrets.token_hex(16)
        self.port = _free_port()
        password_file = directory / "password"
        password_file.write_text(self._password)
        if os.getuid() == 0:
            for path in (directory, password_file):
                shutil.chown(path, USER)
        self._run(
            "initdb", "-D", self._data, "-U", USER, "-A", "scram-sha-256", "--pwfile", password_file, "-E", "UTF8"
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *arguments], stdout=log, stderr=log, **_as_user()
            )
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline_s:
                    raise RuntimeError(f"PostgreSQL does not start: {self._log.read_text()[-2000:]}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it at once; connections are cut."""
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        self._process.wait(WITHIN_S)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{name}"

    def _conninfo(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user={USER} password={self._password} dbname={database}"

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._binaries / program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False, **_as_user())
        assert done.returncode == 0, done.stderr


@contextmanager
def running_server() -> Iterator[Server]:
    """A server, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sightline-pg-", ignore_cleanup_errors=True) as directory:
        server = Server(Path(directory))
        try:
            yield server
        finally:
            server.stop()


def _binaries() -> Path | None:
    places = [Path(found).parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _as_user() -> dict[str, object]:
    if os.getuid() != 0:
        return {"cwd": "/"}
    entry = pwd.getpwnam(USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
