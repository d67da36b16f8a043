"""Starting a server as a process of its own, waiting until it is ready, and stopping it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from deployments.cli.ports import is_free
from deployments.settings import process_environment

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 60.0
LAST_WORDS_BYTES = 4000


@contextmanager
def started(
    module: str,
    arguments: Sequence[str],
    is_ready: Callable[[bytes], bool],
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of this checkout until the block ends; it is ready when the block begins.

    Args:
        module: name of the module.
        arguments: for it.
        is_ready: told what it has said so far, ten times a second.
        environment: laid over that of this process.

    Raises:
        RuntimeError: it ended, or was not ready in time; with what it said last.
    """
    with tempfile.NamedTemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", module, *arguments],
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=process_environment() | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )
        try:
            why = _await(process, lambda: is_ready(Path(said.name).read_bytes()))
            if why is not None:
                last_words = Path(said.name).read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace")
                raise RuntimeError(f"{module} {why}:\n{last_words}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(url: str) -> Callable[[bytes], bool]:
    """Ready is who answers a URL with 200."""

    def is_ready(_: bytes) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(url, timeout=5).status_code == httpx.codes.OK
        return False

    return is_ready


def says_ready(said: bytes) -> bool:
    """Ready is who says so, as `sightline serve` does."""
    return any(line.startswith(b"ready ") for line in said.splitlines())


def free_port() -> int:
    """A port nobody has, below those that the kernel hands out; two load tests at once begin to look elsewhere."""
    first = 23900 + os.getpid() % 500 * 10
    return next(port for port in range(first, 29999) if is_free(port))


def _await(process: subprocess.Popen[bytes], is_ready: Callable[[], bool]) -> str | None:
    """Wait until a process is ready; gives what is wrong when it never will be."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            return f"ended with status {process.returncode} before it was ready"
        if is_ready():
            return None
        time.sleep(0.1)
    return f"was not ready within {START_TIMEOUT_S:g} s"
