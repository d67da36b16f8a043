"""What the processes of endpoints say themselves, asked beside the loop that wants to know it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

import httpx

from deployments.control.on_kubernetes.revision_state import Answer
from deployments.kubernetes.objects import DASHBOARD_PORT, SERVE_PORT, head_service, serve_service

TIMEOUT_S = 3.0
ASK_EVERY_S = 0.8
"""Less than the second within which the number of replicas is to be true."""

THREADS = 16

Ask = Callable[[str, int, str], bytes | None]
"""Service, port and path -> what it answers with status 200; None for everything else."""


class Answers:
    """Asks `/readiness`, which is true after a real inference, and Serve for its replicas; never waits."""

    def __init__(self, ask_service: Ask, *, ask_every_s: float = ASK_EVERY_S) -> None:
        """Nothing is asked yet.

        Args:
            ask_service: asks a Service, within a few seconds.
            ask_every_s: age from which an answer is asked for anew.
        """
        self._ask_service = ask_service
        self._ask_every_s = ask_every_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")
        self._lock = threading.Lock()
        self._known: dict[str, Answer] = {}
        self._asked_s: dict[str, float] = {}

    def look(self, runs: Mapping[str, str]) -> Mapping[str, Answer]:
        """What runs of RayServices said last; asks anew where that is old, and waits for those never asked.

        Args:
            runs: run -> name of its RayService; what is known of others is forgotten.
        """
        now_s = time.monotonic()
        with self._lock:
            self._known = {run: answer for run, answer in self._known.items() if run in runs}
            self._asked_s = {run: asked for run, asked in self._asked_s.items() if run in runs}
            new = runs.keys() - self._asked_s.keys()
            due = [run for run in runs if now_s - self._asked_s.get(run, float("-inf")) >= self._ask_every_s]
            self._asked_s |= dict.fromkeys(due, float("inf"))  # being asked
        asked = {run: self._threads.submit(self._ask, runs[run], run) for run in due}
        wait([asked[run] for run in new], timeout=2 * TIMEOUT_S)
        with self._lock:
            return dict(self._known)

    def stop(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, name: str, run: str) -> None:
        with self._lock:
            before = self._known.get(run, Answer())
        running = self._replicas(name)
        # Warm for good: requests wait for a replica that comes back, the edge would refuse them.
        answer = Answer(
            warm=before.warm or self._is_ready(name), num_replicas=before.num_replicas if running is None else running
        )
        with self._lock:
            if run in self._asked_s:
                self._known[run] = answer
                self._asked_s[run] = time.monotonic()

    def _is_ready(self, name: str) -> bool:
        return self._ask_service(serve_service(name), SERVE_PORT, "/readiness") is not None

    def _replicas(self, name: str) -> int | None:
        said = self._ask_service(head_service(name), DASHBOARD_PORT, "/api/serve/applications/")
        if said is None:
            return None
        try:
            applications = json.loads(said)["applications"].values()
            return min(
                (
                    sum(replica["state"] == "RUNNING" for replica in deployment["replicas"])
                    for application in applications
                    for deployment in application["deployments"].values()
                ),
                default=0,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def inside_the_cluster(namespace: str) -> Ask:
    """Asks Services as a pod does."""
    http = httpx.Client(timeout=TIMEOUT_S, limits=httpx.Limits(max_connections=4 * THREADS))

    def ask(service: str, port: int, path: str) -> bytes | None:
        try:
            answer = http.get(f"http://{service}.{namespace}.svc:{port}{path}")
        except httpx.HTTPError:
            return None
        return answer.content if answer.status_code == 200 else None

    return ask
