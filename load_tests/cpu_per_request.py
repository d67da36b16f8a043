"""CPU time of the whole process tree for one request of the tutorial's workflow, and where it goes.

    python -m load_tests.cpu_per_request [--requests 200] [--proxy haproxy]

Starts a cluster of its own, asks it one request at a time and then eight, and prints a table. CPU time is steadier than
the clock on a machine shared with others. The parts are measured in one process that does each of them once; what the
cluster spends beyond their sum is `rest`: HTTP, JSON, base64, calls between processes, second decodes, the controller.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil

from deployments.cli.ports import is_free
from deployments.dataplane.sample import sample_request
from load_tests.parts import measure_parts

START_TIMEOUT_S = 180.0
WARM_REQUESTS = 16
PROGRAMS = (
    "ServeController", "HAProxyManager", "ProxyActor", "haproxy", "raylet", "gcs_server", "DashboardAgent",
    "RuntimeEnvAgent", "dashboard.py", "monitor.py", "log_monitor.py", "cluster_process", "deployments.cli.main",
)  # fmt: skip
REST_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some requests cost.

    Attributes:
        concurrency: clients.
        cpu_ms: of the whole process tree, a request.
        requests_s: throughput.
        by_process: the same CPU time by kind of process.
    """

    concurrency: int
    cpu_ms: float
    requests_s: float
    by_process: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server of our own.

    Attributes:
        url: where it answers.
        process: the command; everything else is below it.
        start_s: from the command to its `ready` line.
    """

    url: str
    process: subprocess.Popen[str]
    start_s: float


@contextmanager
def running_server(proxy: str) -> Iterator[RunningServer]:
    """Start a server on a free port, and stop it."""
    port = next(port for port in range(23900, 29999) if is_free(port))
    began_s = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "deployments.cli.main", "serve", "--port", str(port), "--proxy", proxy],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield RunningServer(url=f"http://127.0.0.1:{port}", process=process, start_s=_await_ready(process, began_s))
    finally:
        process.terminate()
        process.wait(20)


def _await_ready(process: subprocess.Popen[str], began_s: float) -> float:
    assert process.stdout  # a pipe was asked for
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("ready "):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return time.monotonic() - began_s
        if time.monotonic() - began_s > START_TIMEOUT_S:
            break
    raise RuntimeError("the server did not start:\n" + "".join(said))


def cpu_by_process(root: int) -> dict[str, float]:
    """CPU seconds so far of everything below and with `root`, by kind of process; ended ones are lost."""
    seconds: dict[str, float] = {}
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        try:
            times = process.cpu_times()
            name = kind_of(process)
        except psutil.NoSuchProcess:
            continue
        seconds[name] = seconds.get(name, 0.0) + times.user + times.system
    return seconds


def kind_of(process: psutil.Process) -> str:
    """A deployment's name, or the program's."""
    command = " ".join(process.cmdline())
    replica = re.search(r"ServeReplica:[^:]+:(\w+)", command)
    if replica:
        return replica[1]
    for name in (
        "ServeController",
        "HAProxyManager",
        "ProxyActor",
        "haproxy",
        "raylet",
        "gcs_server",
        "DashboardAgent",
    ):
        if name in command:
            return name
    return "other"


async def ask(url: str, concurrency: int, requests: int) -> None:
    """Send the same request `requests` times, `concurrency` at a time."""
    content = json.dumps(sample_request()).encode()
    left = iter(range(requests))

    async def client() -> None:
        async with httpx.AsyncClient(timeout=120) as session:
            for _ in left:
                answer = await session.post(
                    f"{url}/workflows/run", content=content, headers={"Content-Type": "application/json"}
                )
                answer.raise_for_status()

    await asyncio.gather(*(client() for _ in range(concurrency)))


def measure(server: RunningServer, concurrency: int, requests: int) -> Cost:
    """The cost of one request at a concurrency."""
    asyncio.run(ask(server.url, concurrency, WARM_REQUESTS))
    before = cpu_by_process(server.process.pid)
    began_s = time.monotonic()
    asyncio.run(ask(server.url, concurrency, requests))
    elapsed_s = time.monotonic() - began_s
    after = cpu_by_process(server.process.pid)
    spent = {name: (seconds - before.get(name, 0.0)) * 1000 / requests for name, seconds in after.items()}
    return Cost(concurrency=concurrency, cpu_ms=sum(spent.values()), requests_s=requests / elapsed_s, by_process=spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--proxy", choices=("haproxy", "python"), default="haproxy")
    options = parser.parse_args()
    print(f"{platform.platform()}, {psutil.cpu_count()} CPUs, load {psutil.getloadavg()[0]:.1f}")
    parts = measure_parts(options.requests)
    with running_server(options.proxy) as server:
        print(f"start to ready {server.start_s:.1f} s")
        _print_memory(server.process.pid)
        before = cpu_by_process(server.process.pid)
        time.sleep(REST_S)
        after = cpu_by_process(server.process.pid)
        at_rest = {name: (seconds - before.get(name, 0.0)) * 1000 / REST_S for name, seconds in after.items()}
        costs = [measure(server, concurrency, options.requests) for concurrency in (1, 8)]
    _print_table(costs, parts, at_rest)


def _print_memory(root: int) -> None:
    tree = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    # PSS shares a page among those that have it; RSS counts Python's and Ray's code once for every process.
    rss_mib = sum(process.memory_info().rss for process in tree) / 2**20
    pss_mib = sum(process.memory_full_info().pss for process in tree) / 2**20
    print(f"memory at rest, {len(tree)} processes: RSS {rss_mib:.0f} MiB, PSS {pss_mib:.0f} MiB")


def _print_table(costs: list[Cost], parts: Mapping[str, float], at_rest: Mapping[str, float]) -> None:
    """The tables.

    Args:
        costs: measured, by concurrency.
        parts: CPU milliseconds of each part of the work itself.
        at_rest: CPU milliseconds a second of each kind of process while nobody asks.
    """
    heads = "".join(f"{f'{cost.concurrency} client(s)':>16}" for cost in costs)
    print(f"\n{'CPU ms a request':28}{heads}")
    for name, cpu_ms in parts.items():
        print(f"  {name:26}" + "".join(f"{cpu_ms:16.2f}" for _ in costs))
    compute_ms = sum(parts.values())
    print(f"  {'rest':26}" + "".join(f"{cost.cpu_ms - compute_ms:16.2f}" for cost in costs))
    print(f"  {'whole process tree':26}" + "".join(f"{cost.cpu_ms:16.2f}" for cost in costs))
    print(f"  {'compute share':26}" + "".join(f"{compute_ms / cost.cpu_ms:15.0%} " for cost in costs))
    print(f"  {'requests a second':26}" + "".join(f"{cost.requests_s:16.1f}" for cost in costs))
    idle_ms = sum(at_rest.values())
    print(f"  {'of it spent at rest too':26}" + "".join(f"{idle_ms / cost.requests_s:16.2f}" for cost in costs))
    print(f"\n{'by process':28}{heads}{'at rest, ms/s':>16}")
    for name in sorted(costs[-1].by_process, key=lambda name: -costs[-1].by_process[name]):
        shown = "".join(f"{cost.by_process.get(name, 0.0):16.2f}" for cost in costs)
        print(f"  {name:26}{shown}{at_rest.get(name, 0.0):16.1f}")


if __name__ == "__main__":
    main()
