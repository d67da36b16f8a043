"""Endpoints on one machine: applications of the Ray Serve that runs there.

A revision is an application of its own at a path of its own, so that a new one starts beside the one that answers, and
the edge goes from one to the other between two requests.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deployments.control.errors import PlatformError
from deployments.control.placement import impossible_replicas, replica_resources
from deployments.control.platform import EndpointSpec, Observation, Phase, RevisionState
from deployments.control.serve_application import application_config, application_name, parts_of

READINESS_TIMEOUT_S = 2.0
FAILED = ("DEPLOY_FAILED",)
ALIVE = ("RUNNING", "UNHEALTHY", "DEPLOYING")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationState:
    """One application in Serve.

    Attributes:
        status: Serve's word.
        message: what it waits for or why it failed.
        running: replicas that run, by deployment.
        config: what Serve was last told to have; None when it is to end.
    """

    status: str
    message: str
    running: Mapping[str, int]
    config: Mapping[str, Any] | None


class ServeControl(Protocol):
    """Ray Serve, as far as it is needed here; `serve_client.py` is the real one."""

    def applications(self) -> dict[str, dict[str, Any]]:
        """The applications that Serve was last told to have, as in its configuration, by name."""

    def apply(self, applications: Sequence[Mapping[str, Any]]) -> None:
        """Have exactly these applications; those that are as they were stay untouched."""

    def states(self) -> Mapping[str, ApplicationState]:
        """How all applications are, those that end included."""

    def machines(self) -> Sequence[tuple[Mapping[str, float], Mapping[str, str]]]:
        """Resources and labels of each machine."""


class OneMachine:
    """An `EndpointPlatform` on Ray Serve.

    Applications that are no endpoints are left alone. The first of them says what an endpoint does not.
    """

    def __init__(self, serve: ServeControl, is_ready: Callable[[str], bool]) -> None:
        """Nothing is asked yet.

        Args:
            serve: the cluster.
            is_ready: whether what answers below a path in Serve says that it has answered a warm-up.
        """
        self._serve = serve
        self._is_ready = is_ready
        self._warm: set[str] = set()
        self._changing = threading.Lock()

    def create(self, spec: EndpointSpec) -> None:
        """See `EndpointPlatform`."""
        with self._changing:
            applications = self._serve.applications()
            wanted = self._application(spec, applications)
            if applications.get(wanted["name"]) != wanted:
                self._serve.apply([*(applications | {wanted["name"]: wanted}).values()])

    update = resume = create

    def retire(self, name: str, revision: str) -> None:
        """See `EndpointPlatform`."""
        self._remove(lambda of, which: (of, which) == (name, revision))

    def suspend(self, name: str) -> None:
        """See `EndpointPlatform`; nothing of it is left here."""
        self._remove(lambda of, _: of == name)

    delete = suspend

    def _remove(self, chosen: Callable[[str, str], bool]) -> None:
        with self._changing:
            applications = self._serve.applications()
            kept = [
                application
                for application in applications.values()
                if (parts := parts_of(application["name"])) is None or not chosen(*parts)
            ]
            if len(kept) < len(applications):
                self._serve.apply(kept)

    def observe(self) -> Mapping[str, Observation]:
        """See `EndpointPlatform`."""
        states = self._serve.states()
        self._warm &= states.keys()
        found: dict[str, dict[str, RevisionState]] = {}
        for application, state in states.items():
            parts = parts_of(application)
            if parts is not None:
                found.setdefault(parts[0], {})[parts[1]] = self._revision(application, state)
        return {name: Observation(revisions=revisions) for name, revisions in found.items()}

    def _revision(self, application: str, state: ApplicationState) -> RevisionState:
        told = state.config
        if told is None:
            return RevisionState(phase=Phase.STOPPING)
        replicas = _replicas_told(told)
        running = min((state.running.get(d["name"], 0) for d in told["deployments"]), default=0)
        route = str(told["route_prefix"])
        phase = Phase.STARTING
        if state.status in FAILED:
            phase = Phase.FAILED
        elif application in self._warm or (state.status in ALIVE and running and self._is_ready(route)):
            # Warm for good: requests wait for a replica that comes back, the edge would refuse them.
            self._warm.add(application)
            phase = Phase.READY
        return RevisionState(phase=phase, num_replicas=running, replicas=replicas, reason=state.message, route=route)

    def impossible(self, spec: EndpointSpec) -> str | None:
        """See `EndpointPlatform`."""
        application = self._application(spec, self._serve.applications())
        machines = self._serve.machines()
        wanted = spec.machine_type.labels.items()
        fitting = [resources for resources, labels in machines if wanted <= labels.items()]
        if not fitting:
            return f"no machine has the labels {dict(spec.machine_type.labels)}"
        lines = impossible_replicas({"applications": [application]}, fitting)
        return "; ".join(lines) or None

    def capacity(self) -> Mapping[str, float]:
        """See `EndpointPlatform`: all there is, without what the applications take that are no endpoints."""
        left: dict[str, float] = {}
        for resources, _ in self._serve.machines():
            for name, amount in resources.items():
                left[name] = left.get(name, 0.0) + amount
        for application in self._serve.applications().values():
            if parts_of(application["name"]) is None:
                for deployment in application.get("deployments") or ():
                    fewest = (deployment.get("autoscaling_config") or {}).get("min_replicas") or 1
                    for name, amount in replica_resources(deployment.get("ray_actor_options") or {}).items():
                        left[name] = left.get(name, 0.0) - fewest * amount
        return left

    def _application(self, spec: EndpointSpec, applications: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        template = next((a for name, a in applications.items() if parts_of(name) is None), None)
        if template is None:
            raise PlatformError("Ray Serve has no application to model an endpoint on; deploy serve_config.yaml first")
        args = {**(template.get("args") or {}), **spec.machine_type.args, **spec.args}
        if spec.machine_type.transforms_in_router:
            args["transforms_in_router"] = True
        if args.get("log_dir"):
            args["log_dir"] = str(log_directory(Path(args["log_dir"]), spec.name, spec.revision))
        return application_config(spec, template, args)


def log_directory(root: Path, name: str, revision: str) -> Path:
    """Where the replicas of a revision write their logs."""
    return root / "endpoints" / application_name(name, revision)


def ready_probe(serve_port: int) -> Callable[[str], bool]:
    """Asks for `/readiness` below a path of the Serve on this machine."""

    def is_ready(route: str) -> bool:
        url = f"http://127.0.0.1:{serve_port}{route}/readiness"
        try:
            with urllib.request.urlopen(url, timeout=READINESS_TIMEOUT_S) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    return is_ready


def _replicas_told(application: Mapping[str, Any]) -> tuple[int, int]:
    growth = application["deployments"][0]["autoscaling_config"]
    return growth["min_replicas"], growth["max_replicas"]
