"""The control plane as a child of the launcher: started, and started anew whenever it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from deployments.cli.processes import end_with_parent

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 30.0


class ControlProcess:
    """One control plane; ends with this process."""

    def __init__(self, options: str, environment: dict[str, str], log_path: Path) -> None:
        """Nothing runs yet.

        Args:
            options: what it reads from stdin.
            environment: of its process.
            log_path: for what it says.
        """
        self._options = options
        self._environment = environment
        self._log_path = log_path
        self._process: subprocess.Popen[str] | None = None
        self._started_s = 0.0
        self._pause_s = FIRST_PAUSE_S

    def keep_running(self) -> None:
        """Start it when it does not run; after quick ends in a row, not before a longer pause each time."""
        now_s = time.monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return
            if now_s - self._started_s > STEADY_AFTER_S:
                self._pause_s = FIRST_PAUSE_S
            elif now_s - self._started_s < self._pause_s:
                return
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._started_s = now_s
        with self._log_path.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deployments.control.process"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                env=self._environment,
                preexec_fn=partial(end_with_parent, os.getpid()),
                start_new_session=True,  # Ctrl-C in the terminal reaches the launcher alone
            )
        assert self._process.stdin  # a pipe was asked for
        self._process.stdin.write(self._options)
        self._process.stdin.close()
