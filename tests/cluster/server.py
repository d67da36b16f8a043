"""`sightline serve` as a user starts it: a process, its lines, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 150.0


def free_port(neighbours: int = 0) -> int:
    """A port nobody has, between those that a server takes for its own parts and the kernel's: nobody else gets it.

    Args:
        neighbours: how many ports behind it nobody has either.
    """
    for port in range(30000 + os.getpid() % 200 * 10, 32768 - neighbours):
        with ExitStack() as probes:
            try:
                for number in range(port, port + neighbours + 1):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            return port
    raise OSError("no free port")


class Server:
    """One run of the command."""

    def __init__(
        self,
        *arguments: str,
        port: int | None = None,
        environment: dict[str, str] | None = None,
        before: str | None = None,
    ) -> None:
        """Start it.

        Args:
            arguments: of the command.
            port: where; a free one when None.
            environment: beside this process's own.
            before: Python that is run in its process first.
        """
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        if "--database" not in arguments:
            self._state = TemporaryDirectory()  # endpoints of another test's server on this port are none of ours
            arguments = (*arguments, "--database", f"sqlite:///{self._state.name}/endpoints.db")
        program = ["-m", "deployments.cli.main"]
        if before is not None:
            program = ["-c", f"{before}; from deployments.cli.main import main; main()"]
        self.process = subprocess.Popen(
            [sys.executable, *program, "serve", "--port", str(self.port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def log_dir(self) -> Path:
        """Where it says that its logs are."""
        match = re.search(r"its logs: (\S+)", self.output)
        assert match, self.output
        return Path(match[1])

    def wait_for(self, text: str, within_s: float = READY_WITHIN_S) -> str:
        """The first line that holds `text`."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            for line in list(self.lines):
                if text in line:
                    return line
            if self.process.poll() is not None:
                self._reader.join(5)
                if any(text in line for line in self.lines):
                    continue
                break
            time.sleep(0.05)
        raise AssertionError(f"never said {text!r}:\n{self.output}")

    def exit_status(self, within_s: float) -> int:
        status = self.process.wait(within_s)
        self._reader.join(5)
        return status

    def descendants(self) -> dict[int, str]:
        """Process id -> command line of everything below the command."""
        parents: dict[int, int] = {}
        names: dict[int, str] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if state != "Z":
                    parents[int(entry.name)] = int(parent)
                    names[int(entry.name)] = command
        found: dict[int, str] = {}
        level = {self.process.pid}
        while level:
            level = {pid for pid, parent in parents.items() if parent in level}
            found |= {pid: names[pid] for pid in level}
        return found

    def replica_pids(self, deployment: str) -> list[int]:
        return [pid for pid, command in self.descendants().items() if f"ServeReplica:plates:{deployment}" in command]

    def metrics(self) -> dict[str, float]:
        """Series of the WorkflowRouter: name with its labels -> value."""
        text = httpx.get(f"{self.url}/metrics", timeout=10).text
        rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in rows}

    def coalescing(self, counter: str, deployment: str) -> float:
        metrics = self.metrics()
        label = f'{{deployment="{deployment}"}}'
        return metrics.get(f"coalescing_{counter}_total{label}", metrics.get(f"coalescing_{counter}{label}", -1.0))

    def busy(self) -> dict[str, float]:
        """What is waiting or under way, by series; empty at rest."""
        gauges = ("queued_items", "in_flight_calls", "in_flight_items")
        return {
            name: value
            for name, value in self.metrics().items()
            if value and any(name.startswith(f"coalescing_{gauge}{{") for gauge in gauges)
        }

    def wait_until_at_rest(self, within_s: float = 10.0) -> None:
        deadline_s = time.monotonic() + within_s
        while busy := self.busy():
            assert time.monotonic() < deadline_s, f"left behind: {busy}"
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.exit_status(15)
        finally:
            if self.process.poll() is None:
                self.process.kill()
