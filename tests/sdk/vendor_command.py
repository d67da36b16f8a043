"""The vendor's unmodified command line, `roboflow deployment`, told to reach a server of ours."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import SDK_PYTHON

PROGRAM = SDK_PYTHON.with_name("roboflow")
ENDS_WITHIN_S = 300.0


class VendorCommand:
    """Types its verbs."""

    def __init__(self, url: str, key: str, home: Path) -> None:
        """Skips the test when the program is not there."""
        if not PROGRAM.exists():
            pytest.skip("the vendor's command line is not installed: `make test-sdk` installs it into .venv-sdk")
        self.environment = os.environ | {
            "DEDICATED_DEPLOYMENT_URL": url,
            "ROBOFLOW_API_KEY": key,
            "HOME": str(home),
            "PYTHONPATH": "",
        }

    def text(self, *arguments: str, status: int = 0) -> str:
        """What it prints for people; of a refusal on both streams."""
        done = self._run("deployment", *arguments, status=status)
        return done.stdout if status == 0 else done.stdout + done.stderr

    def told(self, *arguments: str) -> dict[str, Any]:
        """What it prints with `--json`."""
        said = self._run("--json", "deployment", *arguments, status=0).stdout
        found: dict[str, Any] = json.loads(said[said.index("{") :])
        return found

    def wait(self, name: str, status: str, within_s: float = 240.0) -> None:
        """Ask until an endpoint is so."""
        deadline_s = time.monotonic() + within_s
        while (found := self.told("get", name))["status"] != status:
            assert time.monotonic() < deadline_s, found
            time.sleep(0.5)

    def _run(self, *arguments: str, status: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *arguments],
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN_S,
            env=self.environment,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done
