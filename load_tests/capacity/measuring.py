"""One emulated cluster under one load, and what the formula says of it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import psutil
from pydantic import BaseModel, ConfigDict

from load_tests.arrivals import Poisson, due_times_s
from load_tests.batches import batches_between, batches_of
from load_tests.capacity.emulated_cluster import INPUT_PX, MODEL_ID, REPLICA_TITLE, EmulatedCluster
from load_tests.cpu_accounting import TreeState, watched
from load_tests.generator import Log, closed_loop, open_loop, run_loop
from load_tests.http_connection import encode_request
from load_tests.questions import WORKFLOW_ROUTE
from load_tests.statistics import ScheduleMissedError, check_schedule, latency_of, lateness_of
from load_tests.target import RunningTarget
from workflows.values.image_codec import encode_jpeg

WORKFLOW = {
    "version": "1.0",
    "inputs": [{"type": "WorkflowImage", "name": "image"}],
    "steps": [
        {
            "type": "roboflow_core/roboflow_object_detection_model@v1",
            "name": "detect",
            "images": "$inputs.image",
            "model_id": MODEL_ID,
        }
    ],
    "outputs": [{"type": "JsonField", "name": "found", "selector": "$steps.detect.predictions"}],
}
CLIENT = "client"
ROUTER = "WorkflowRouter"
TIMEOUT_S = 120.0


class Point(BaseModel):
    """What was measured of one cluster under one load.

    Attributes:
        accelerators: emulated devices.
        replicas: processes that they stand behind.
        routers: WorkflowRouter replicas.
        offered_rps: arrivals a second; None where clients asked as fast as they were answered.
        clients: of that kind; None else.
        seconds: of the window that was counted, behind one in which all became steady.
        requests_s: answers a second in it.
        p50_ms: of them.
        p99_ms: of them.
        errors: requests that failed.
        batch: mean pieces of work in a call; None where several routers know only their own.
        cpu_ms: kind of process -> CPU a request, that of who asked among them.
        cores_busy: CPU seconds a second, all of it.
        rss_mib: resident memory of one detector replica, pages that it shares with others included.
        pss_mib: the same with shared pages divided among those who share them.
        start_s: from the command to its first answer.
        late_p99_ms: arrivals: how late the generator sent 1 % of them; None with clients, who have no schedule.
        schedule_missed: why these are figures of the generator, not of the cluster; None as long as they are not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accelerators: int
    replicas: int
    routers: int
    fixed_ms: float
    per_item_ms: float
    max_batch_items: int
    offered_rps: float | None
    clients: int | None
    seconds: float
    requests_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    batch: float | None
    cpu_ms: dict[str, float]
    cores_busy: float
    rss_mib: float
    pss_mib: float
    start_s: float
    late_p99_ms: float | None = None
    schedule_missed: str | None = None

    @property
    def router_cpu_ms(self) -> float:
        """CPU of all WorkflowRouters a request."""
        return self.cpu_ms.get(ROUTER, 0.0)

    @property
    def all_cpu_ms(self) -> float:
        """CPU of everything on the machine that belongs to the test, a request."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When counting begins and ends, seconds after the first request."""

    warm_s: float
    counted_s: float

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.warm_s + self.counted_s


def measure(
    cluster: EmulatedCluster,
    server: RunningTarget,
    window: Window,
    *,
    clients: int | None = None,
    rate_rps: float | None = None,
    seed: int = 0,
) -> Point:
    """Ask a running cluster for a while.

    Args:
        cluster: what it is.
        server: where it is.
        window: what is counted.
        clients: that each send the next request when the last one is answered; or
        rate_rps: arrivals a second, at random.
        seed: of these.

    Raises:
        RuntimeError: nothing was answered.
    """
    rss_mib, pss_mib = _memory_of_replicas(server)
    own_before_s = time.process_time()
    with watched(server.root_pid) as watch:
        began_s = time.monotonic()
        log, calls = run_loop(_asked(server, window, clients, rate_rps, seed))
    own_cpu_s = time.process_time() - own_before_s
    inside = (log.done_s >= window.warm_s) & (log.done_s < window.total_s)
    good = inside & (log.status == 200)
    if not good.any():
        raise RuntimeError(f"nothing was answered: {log.failures or set(log.status.tolist())}")
    taken = latency_of((log.done_s - log.intended_s)[good])
    cpu_ms, cores_busy = _cpu(watch.states, began_s + window.warm_s, began_s + window.total_s, log, began_s)
    cpu_ms[CLIENT] = own_cpu_s * 1000 / max(int((log.status != 0).sum()), 1)
    requests_s = float(good.sum()) / window.counted_s
    late = lateness_of(log)
    return Point(
        accelerators=cluster.accelerators,
        replicas=cluster.replicas,
        routers=cluster.routers,
        fixed_ms=cluster.fixed_ms,
        per_item_ms=cluster.per_item_ms,
        max_batch_items=cluster.max_batch_items,
        offered_rps=rate_rps,
        clients=clients,
        seconds=window.counted_s,
        requests_s=requests_s,
        p50_ms=taken.p50_ms,
        p99_ms=taken.p99_ms,
        errors=int((log.status != 200).sum()),
        batch=calls if cluster.routers == 1 else None,
        cpu_ms=cpu_ms,
        cores_busy=cores_busy + cpu_ms[CLIENT] * requests_s / 1000,
        rss_mib=rss_mib,
        pss_mib=pss_mib,
        start_s=server.start_s,
        late_p99_ms=None if late is None else late.p99_ms,
        schedule_missed=missed_schedule(log),
    )


def missed_schedule(log: Log) -> str | None:
    """Why the figures are the generator's own and may not be believed; None as long as they may."""
    try:
        check_schedule(log)
    except ScheduleMissedError as error:
        return str(error)
    return None


async def _asked(
    server: RunningTarget, window: Window, clients: int | None, rate_rps: float | None, seed: int
) -> tuple[Log, float | None]:
    """The log, and the mean batch within the window."""
    requests = _requests(server)
    if clients is not None:
        asking = closed_loop(server.url, requests, clients=clients, duration_s=window.total_s, timeout_s=TIMEOUT_S)
    else:
        assert rate_rps is not None  # one or the other
        arrivals = Poisson(kind="poisson", rate=rate_rps, duration_s=window.total_s)
        asking = open_loop(server.url, requests, due_times_s(arrivals, unit_rps=1, seed=seed), timeout_s=TIMEOUT_S)
    task = asyncio.create_task(asking)
    await asyncio.sleep(window.warm_s)
    before = await asyncio.to_thread(batches_of, server)
    await asyncio.sleep(window.counted_s)
    batches = batches_between(before, await asyncio.to_thread(batches_of, server)).get(MODEL_ID)
    return await task, batches.items / batches.calls if batches else None


def _requests(server: RunningTarget) -> Iterator[bytes]:
    """The same small picture without end: what decoding costs is no part of this."""
    picture = np.full((INPUT_PX, INPUT_PX, 3), 110, dtype=np.uint8)
    cv2.rectangle(picture, (8, 8), (40, 24), (230, 230, 230), -1)
    image = {"type": "base64", "value": base64.b64encode(encode_jpeg(picture)).decode()}
    body = json.dumps({"specification": WORKFLOW, "inputs": {"image": image}}).encode()
    headers = {"Content-Type": "application/json", **server.headers}
    request = encode_request(server.url, "POST", WORKFLOW_ROUTE, headers, body)
    while True:
        yield request


def _cpu(
    states: list[TreeState], from_s: float, to_s: float, log: Log, began_s: float
) -> tuple[dict[str, float], float]:
    """CPU milliseconds a request by kind of process, and CPU seconds a second, between two moments."""
    inside = [state for state in states if from_s <= state.at_s <= to_s + 1]
    if len(inside) < 2:
        return {}, 0.0
    first, last = inside[0], inside[-1]
    done_s = log.done_s + began_s
    requests = int(((done_s >= first.at_s) & (done_s < last.at_s)).sum())
    spent = {kind: seconds - first.cpu_s.get(kind, 0.0) for kind, seconds in last.cpu_s.items()}
    return (
        {kind: seconds * 1000 / max(requests, 1) for kind, seconds in spent.items()},
        sum(spent.values()) / max(last.at_s - first.at_s, 1e-9),
    )


def _memory_of_replicas(server: RunningTarget) -> tuple[float, float]:
    """Mean resident and proportional memory of the detector's replicas, MiB."""
    if server.root_pid is None:
        return 0.0, 0.0
    replicas = [
        process
        for process in psutil.Process(server.root_pid).children(recursive=True)
        if REPLICA_TITLE in " ".join(process.cmdline())
    ]
    infos = [process.memory_full_info() for process in replicas]
    if not infos:
        return 0.0, 0.0
    return (
        sum(info.rss for info in infos) / len(infos) / 2**20,
        sum(info.pss for info in infos) / len(infos) / 2**20,
    )
