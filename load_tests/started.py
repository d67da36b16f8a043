"""Starting a server as a process of its own, waiting until it answers, and stopping it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from deployments.cli.ports import is_free
from deployments.settings import process_environment

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 20.0
LAST_WORDS_BYTES = 4000


@contextmanager
def started(
    module: str, arguments: Sequence[str], *, url: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of this checkout until the block ends; it answers `GET /healthz` when the block begins.

    Args:
        module: name of the module.
        arguments: for it.
        url: where it will answer.
        environment: laid over that of this process.

    Raises:
        RuntimeError: it ended, or did not answer in time; with what it said last.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", module, *arguments],
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=process_environment() | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        )
        try:
            why = await_answer(f"{url}/healthz", process)
            if why is not None:
                said.seek(max(0, said.seek(0, 2) - LAST_WORDS_BYTES))
                raise RuntimeError(f"{module} {why}:\n{said.read().decode(errors='replace')}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def await_answer(url: str, process: subprocess.Popen[bytes]) -> str | None:
    """Wait until a URL answers 200; gives what is wrong when it never will."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            return f"ended with status {process.returncode} before it answered"
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return None
        time.sleep(0.1)
    return f"did not answer within {START_TIMEOUT_S:g} s"


def free_port(first: int = 23900) -> int:
    """A port nobody has, below those that the kernel hands out."""
    return next(port for port in range(first, 29999) if is_free(port))
