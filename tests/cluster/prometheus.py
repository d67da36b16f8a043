"""A real Prometheus, started for a test from the Debian package."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cluster.server import free_port

SCRAPE_S = 1
READY_WITHIN_S = 60.0


class Prometheus:
    """One that scrapes what a file of targets names, every second."""

    def __init__(self, folder: Path, targets: Path, rules: dict[str, Any]) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed: `apt-get install prometheus`, as .ci/run does")
        port = free_port()
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        config = {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": "5s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "sightline", "file_sd_configs": [{"files": [str(targets)]}]}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._log = (folder / "prometheus.log").open("w")
        self.process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30)
        self._wait_until_ready(f"http://127.0.0.1:{port}/-/ready")

    def _wait_until_ready(self, url: str) -> None:
        deadline_s = time.monotonic() + READY_WITHIN_S
        while True:
            with suppress(httpx.TransportError):
                if self._http.get(url).status_code == 200:  # 503 while it opens its storage
                    return
            assert self.process.poll() is None, Path(self._log.name).read_text()
            assert time.monotonic() < deadline_s, "Prometheus does not get ready"
            time.sleep(0.2)

    def ask(self, path: str, **parameters: Any) -> Any:
        answer = self._http.get(path, params=parameters)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def values(self, expression: str) -> list[float]:
        """What an expression gives now, of each series; NaN left out, as Grafana draws nothing for it."""
        rows = self.ask("/query", query=expression)["result"]
        return [float(row["value"][1]) for row in rows if row["value"][1] != "NaN"]

    def names(self) -> set[str]:
        """Of all series there are."""
        return set(self.ask("/label/__name__/values"))

    def wait_for(self, expression: str, within_s: float = 60.0) -> None:
        deadline_s = time.monotonic() + within_s
        while True:
            if self.values(expression):
                return
            assert time.monotonic() < deadline_s, f"nothing ever came of {expression}"
            time.sleep(0.5)

    def stop(self) -> None:
        self._http.close()
        self.process.terminate()
        self.process.wait(20)
        self._log.close()
