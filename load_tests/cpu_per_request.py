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
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import psutil

from deployments.dataplane.sample import sample_request
from load_tests.cpu_accounting import ProcessTree, TreeWatch
from load_tests.parts import measure_parts
from load_tests.sightline_target import SightlineTarget
from load_tests.target import RunningTarget

WARM_REQUESTS = 16
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


def measure(server: RunningTarget, tree: ProcessTree, concurrency: int, requests: int) -> Cost:
    """The cost of one request at a concurrency."""
    asyncio.run(ask(server.url, concurrency, WARM_REQUESTS))
    watch = TreeWatch([tree.look()])
    asyncio.run(ask(server.url, concurrency, requests))
    watch.states.append(tree.look())
    elapsed_s = watch.states[-1].at_s - watch.states[0].at_s
    spent = watch.cpu_ms(requests)
    return Cost(concurrency=concurrency, cpu_ms=sum(spent.values()), requests_s=requests / elapsed_s, by_process=spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--proxy", choices=("haproxy", "python"), default="haproxy")
    options = parser.parse_args()
    print(f"{platform.platform()}, {psutil.cpu_count()} CPUs, load {psutil.getloadavg()[0]:.1f}")
    parts, _ = measure_parts(options.requests)
    with SightlineTarget(arguments=("--proxy", options.proxy)).running() as server:
        assert server.root_pid is not None  # it was started here
        print(f"start to ready {server.start_s:.1f} s")
        _print_memory(server.root_pid)
        tree = ProcessTree(server.root_pid)
        resting = TreeWatch([tree.look()])
        time.sleep(REST_S)
        resting.states.append(tree.look())
        at_rest = {kind: cpu_ms / REST_S for kind, cpu_ms in resting.cpu_ms(1).items()}
        costs = [measure(server, tree, concurrency, options.requests) for concurrency in (1, 8)]
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
