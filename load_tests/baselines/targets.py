"""The servers to compare with that this project brings along."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from deployments.dataplane.sample import sample_request
from load_tests.started import answers, free_port, started
from load_tests.target import RunningTarget

# Ray and Serve with their defaults, whatever this shell has set; what is set here keeps Ray on loopback and quiet.
STOCK_ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # Ray's own 15 would be no fair comparison on a machine that is shared
    "RAY_memory_monitor_refresh_ms": "0",
}
WARM_REQUESTS = 5


@dataclass(frozen=True, slots=True)
class OneProcess:
    """The ceiling: `one_process`."""

    name: str = "one_process"
    about: str = "the whole pipeline in one plain uvicorn process, one thread and one set of networks a core, no Ray"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Start it and stop it."""
        with _running("load_tests.baselines.one_process") as target:
            yield target


@dataclass(frozen=True, slots=True)
class StockServe:
    """The floor: `stock_serve`."""

    name: str = "stock_serve"
    about: str = "the same pipeline as four Ray Serve deployments with Serve's defaults, arrays between them"

    @contextmanager
    def running(self) -> Iterator[RunningTarget]:
        """Start it on a Ray of its own, and stop both."""
        with (
            tempfile.TemporaryDirectory(prefix="stock-", ignore_cleanup_errors=True) as ray_dir,
            _running("load_tests.baselines.stock_serve_process", "--ray-dir", ray_dir, **STOCK_ENVIRONMENT) as target,
        ):
            yield target


@contextmanager
def _running(module: str, *arguments: str, **environment: str) -> Iterator[RunningTarget]:
    """A module that serves at `--port`, and has answered a few times before anybody measures it."""
    port, began_s = free_port(), time.monotonic()
    url = f"http://127.0.0.1:{port}"
    ready = answers(f"{url}/healthz")
    with started(module, ["--port", str(port), *arguments], ready, environment=environment) as process:
        start_s = time.monotonic() - began_s
        for _ in range(WARM_REQUESTS):
            httpx.post(f"{url}/workflows/run", json=sample_request(), timeout=60).raise_for_status()
        yield RunningTarget(url=url, root_pid=process.pid, start_s=start_s)
