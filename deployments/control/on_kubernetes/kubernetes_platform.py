"""Endpoints on Kubernetes: each revision of one is a RayService, which KubeRay turns into a Ray cluster of its own.

A RayService begins suspended. Only when everything around it is there is it told to run, so one that runs lacks nothing
whenever this process was killed before. What guards it belongs to it, and goes with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from deployments.control.errors import PlatformError
from deployments.control.on_kubernetes.cluster_api import (
    DISRUPTION_BUDGETS,
    EVENTS,
    NETWORK_POLICIES,
    PODS,
    RAY_SERVICES,
    AlreadyThereError,
    ClusterApi,
    ConflictError,
    InvalidObjectError,
    Kind,
    NotThereError,
)
from deployments.control.on_kubernetes.endpoint_objects import (
    CONTENT_ANNOTATION,
    RUN_ANNOTATION,
    EndpointObjects,
    content_of,
    endpoint_objects,
    parts_of,
    ray_service_name,
)
from deployments.control.on_kubernetes.revision_state import (
    Answer,
    is_given_up,
    is_suspended,
    revision_state,
    takes_requests,
)
from deployments.control.on_kubernetes.watched import Watched
from deployments.control.platform import EndpointSpec, Observation, Phase, RevisionState
from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.merge_patch import merge_patch
from deployments.kubernetes.objects import MANAGER, MANAGER_LABEL, SUBDOMAIN_LABEL, Object, annotation
from deployments.kubernetes.values import Values

logger = logging.getLogger(__name__)

OWN = f"{MANAGER_LABEL}={MANAGER},{SUBDOMAIN_LABEL}"
CONFLICT_TRIES = 5
"""KubeRay writes into the same objects; each try reads anew."""


class Answering(Protocol):
    """Knows what the processes of endpoints say; `answers.py` is the real one."""

    def look(self, runs: Mapping[str, str]) -> Mapping[str, Answer]:
        """What runs said last: run -> name of its RayService; what is known of others is forgotten."""


class OnKubernetes:
    """An `EndpointPlatform` on KubeRay. What it did not make it leaves alone."""

    def __init__(
        self,
        api: ClusterApi,
        answers: Answering,
        values: Values,
        shipped: Mapping[str, Any],
        environment: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
        watch_s: float = 60.0,
    ) -> None:
        """Begin to watch.

        Args:
            api: the cluster.
            answers: what endpoints say themselves.
            values: what all endpoints have in common.
            shipped: content of serve_config.yaml.
            environment: what every process of an endpoint must have.
            clock: seconds since 1970.
            watch_s: how long one watch lasts.
        """
        self._api = api
        self._answers = answers
        self._values = values
        self._shipped = shipped
        self._environment = environment
        self._clock = clock
        self._services = Watched(api, RAY_SERVICES, labels=OWN, watch_s=watch_s)
        self._pods = Watched(api, PODS, labels=SUBDOMAIN_LABEL, watch_s=watch_s)
        self._events = Watched(api, EVENTS, fields="type=Warning", watch_s=watch_s)
        self._refused: dict[tuple[str, str], str] = {}
        self._warm: set[str] = set()
        for watched in (self._services, self._pods, self._events):
            watched.start()

    def stop(self) -> None:
        """Watch no more."""
        for watched in (self._services, self._pods, self._events):
            watched.stop()

    def create(self, spec: EndpointSpec) -> None:
        """See `EndpointPlatform`."""
        key = (spec.name, spec.revision)
        try:
            self._run(spec)
        except (ValuesError, InvalidObjectError) as error:
            self._refused[key] = error.message
            logger.warning("refused", extra={"endpoint": spec.name, "error": error.message})
        else:
            self._refused.pop(key, None)

    update = resume = create

    def _run(self, spec: EndpointSpec) -> None:
        wanted = endpoint_objects(spec, self._values, self._shipped, self._environment)
        there = self._present(wanted.ray_service)
        self._surround(there, wanted)
        self._tell_to_run(wanted.ray_service)
        for other in self._of(spec.name):
            if other["metadata"]["name"] != there["metadata"]["name"] and is_suspended(other):
                self._delete(other)  # of a revision that was replaced while the endpoint was paused

    def _present(self, wanted: Object) -> Object:
        name = wanted["metadata"]["name"]
        suspended = {**wanted, "spec": {**wanted["spec"], "suspend": True}}
        metadata = suspended["metadata"]
        # Without the mark of being complete: it is laid on when it is told to run.
        others = {key: text for key, text in metadata["annotations"].items() if key != CONTENT_ANNOTATION}
        suspended["metadata"] = {**metadata, "annotations": others}
        try:
            return self._api.create(RAY_SERVICES, suspended)
        except AlreadyThereError:
            there = _own(self._api.get(RAY_SERVICES, name))
        if is_given_up(there):
            self._delete(there)
            raise PlatformError(f"KubeRay has given up the RayService {name}: it is removed, and then made anew")
        return there

    def _surround(self, service: Object, wanted: EndpointObjects) -> None:
        owner = {
            "apiVersion": service["apiVersion"],
            "kind": service["kind"],
            "name": service["metadata"]["name"],
            "uid": service["metadata"]["uid"],
        }
        for kind, item in ((NETWORK_POLICIES, wanted.policy), (DISRUPTION_BUDGETS, wanted.budget)):
            self._ensure(kind, {**item, "metadata": {**item["metadata"], "ownerReferences": [owner]}})

    def _ensure(self, kind: Kind, item: Object) -> None:
        name = item["metadata"]["name"]
        try:
            self._api.create(kind, item)
        except AlreadyThereError:
            there = _own(self._api.get(kind, name))
            if content_of(there) != content_of(item) or _owner(there) != _owner(item):
                self._api.patch(kind, name, {key: item[key] for key in ("metadata", "spec")})

    def _tell_to_run(self, wanted: Object) -> None:
        name = wanted["metadata"]["name"]
        for _ in range(CONFLICT_TRIES):
            there = _own(self._api.get(RAY_SERVICES, name))
            if not is_suspended(there) and content_of(there) == content_of(wanted):
                return
            annotations = dict(wanted["metadata"]["annotations"])
            run = int(annotation(there, RUN_ANNOTATION) or "0")
            annotations[RUN_ANNOTATION] = str(run + 1 if is_suspended(there) else run)
            metadata = {
                "labels": wanted["metadata"]["labels"],
                "annotations": annotations,
                "resourceVersion": there["metadata"]["resourceVersion"],
                "uid": there["metadata"]["uid"],
            }
            try:
                spec = merge_patch(there["spec"], wanted["spec"])
                self._api.patch(RAY_SERVICES, name, {"metadata": metadata, "spec": spec})
            except ConflictError:
                continue
            return
        raise PlatformError(f"the RayService {name} changes too often to be changed")

    def retire(self, name: str, revision: str) -> None:
        """See `EndpointPlatform`."""
        self._refused.pop((name, revision), None)
        for service in self._of(name):
            if service["metadata"]["name"] == ray_service_name(name, revision):
                self._delete(service)

    def suspend(self, name: str) -> None:
        """See `EndpointPlatform`."""
        self._forget(name)
        for service in self._of(name):
            if not is_suspended(service):
                metadata = {"uid": service["metadata"]["uid"]}
                try:
                    self._api.patch(
                        RAY_SERVICES, service["metadata"]["name"], {"metadata": metadata, "spec": {"suspend": True}}
                    )
                except (NotThereError, ConflictError):
                    continue  # gone, or another one by now: the next look sees it

    def delete(self, name: str) -> None:
        """See `EndpointPlatform`."""
        self._forget(name)
        for service in self._of(name):
            self._delete(service)

    def observe(self) -> Mapping[str, Observation]:
        """See `EndpointPlatform`."""
        pods, events = self._pods.items().values(), self._events.items().values()
        services = [service for service in self._services.items().values() if parts_of(service) is not None]
        said = self._answers.look(self._runs_to_ask(services))
        self._warm = {run for run, answer in said.items() if answer.warm}
        found: dict[str, dict[str, RevisionState]] = {}
        for service in services:
            name, revision = _parts(service)
            state = revision_state(
                service,
                pods,
                events,
                said.get(_run_of(service), Answer()),
                now_unix_s=self._clock(),
                patience_s=self._values.control.unschedulable_s,
            )
            found.setdefault(name, {})
            if state is not None:
                found[name][revision] = state
        for (name, revision), reason in self._refused.items():
            found.setdefault(name, {}).setdefault(revision, RevisionState(phase=Phase.FAILED, reason=reason))
        return {name: Observation(revisions=revisions) for name, revisions in found.items()}

    def _runs_to_ask(self, services: Iterable[Object]) -> dict[str, str]:
        """Those whose Service leads to somebody, and those that were warm: run -> name."""
        return {
            run: service["metadata"]["name"]
            for service in services
            if not is_suspended(service) and ((run := _run_of(service)) in self._warm or takes_requests(service))
        }

    def impossible(self, spec: EndpointSpec) -> str | None:
        """See `EndpointPlatform`; what no machine has is seen when a pod finds none."""
        if spec.name == self._values.name:
            return f"{self._values.host} leads to the endpoint of the manifests; take another name"
        try:
            endpoint_objects(spec, self._values, self._shipped, self._environment)
        except ValuesError as error:
            return error.message
        return None

    def capacity(self) -> None:
        """See `EndpointPlatform`: Kubernetes adds machines, or says that it does not."""

    def _of(self, name: str) -> list[Object]:
        found, _ = self._api.all(RAY_SERVICES, f"{MANAGER_LABEL}={MANAGER},{SUBDOMAIN_LABEL}={name}")
        return [service for service in found if "deletionTimestamp" not in service["metadata"]]

    def _delete(self, service: Object) -> None:
        self._api.delete(RAY_SERVICES, service["metadata"]["name"], service["metadata"]["uid"])

    def _forget(self, name: str) -> None:
        self._refused = {key: reason for key, reason in self._refused.items() if key[0] != name}


def _own(item: Object) -> Object:
    metadata = item["metadata"]
    if parts_of(item) is None:
        raise PlatformError(f"there is a {item.get('kind', 'thing')} {metadata['name']} that is not ours; remove it")
    if "deletionTimestamp" in metadata:
        raise PlatformError(f"the {item.get('kind', 'thing')} {metadata['name']} is still being removed")
    return item


def _parts(item: Object) -> tuple[str, str]:
    parts = parts_of(item)
    assert parts is not None  # the others were left out
    return parts


def _owner(item: Object) -> list[str]:
    return [owner["uid"] for owner in item["metadata"].get("ownerReferences") or ()]


def _run_of(service: Object) -> str:
    return f"{service['metadata']['uid']}/{annotation(service, RUN_ANNOTATION) or '0'}"
