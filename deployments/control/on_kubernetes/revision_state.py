"""How far a revision is, from what Kubernetes says of its RayService, its pods and what happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments.control.on_kubernetes.endpoint_objects import REPLICAS_ANNOTATION
from deployments.control.platform import Phase, RevisionState
from deployments.kubernetes.objects import ENDPOINT_LABEL, Object, annotation, serve_service

# Conditions and reasons. Source: KubeRay 1.7, ray-operator/apis/ray/v1/rayservice_types.go.
READY = "Ready"
GIVEN_UP = "InitializingTimeout"
"""KubeRay does nothing more for such a RayService: it is to be made anew."""

HOPELESS = ("ValidationFailed", GIVEN_UP)

# What a kubelet says of a container that it cannot start as it is told to.
BROKEN_CONTAINER = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
RESTARTS_TOO_OFTEN = 3
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What the processes of a revision say themselves.

    Attributes:
        warm: whether it has answered a real inference through its Service.
        num_replicas: replicas that run.
    """

    warm: bool = False
    num_replicas: int = 0


def revision_state(
    service: Object,
    pods: Iterable[Object],
    events: Iterable[Object],
    answer: Answer,
    *,
    now_unix_s: float,
    patience_s: float,
) -> RevisionState | None:
    """The state of a revision; None when it takes nothing, being suspended.

    Args:
        service: the RayService.
        pods: of the namespace, those of the RayService among them.
        events: warnings of the namespace.
        answer: what its processes say.
        now_unix_s: the time.
        patience_s: how long a pod may be without a machine, or without its image.
    """
    own = [pod for pod in pods if _belongs(pod, service)]
    if "deletionTimestamp" in service["metadata"]:
        return RevisionState(phase=Phase.STOPPING)
    if is_suspended(service):
        return RevisionState(phase=Phase.STOPPING) if own else None
    name = service["metadata"]["name"]
    replicas = _replicas_told(service)
    if answer.warm:
        return RevisionState(
            phase=Phase.READY, num_replicas=answer.num_replicas, replicas=replicas, route=serve_service(name)
        )
    failure = _failure(service) or _failure_of_pods(own, now_unix_s - patience_s)
    if failure:
        return RevisionState(phase=Phase.FAILED, replicas=replicas, reason=failure)
    reason = _failure_of_pods(own, now_unix_s) or _last_warning(name, service, events) or _waits(service)
    return RevisionState(
        phase=Phase.STARTING, num_replicas=answer.num_replicas, replicas=replicas, reason=reason[:MAX_REASON]
    )


def is_suspended(service: Object) -> bool:
    """Whether it is told to take nothing."""
    return bool(service["spec"].get("suspend"))


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    """A condition of an object; empty when it has none of this kind, or one of what the object was before."""
    for found in (item.get("status") or {}).get("conditions") or ():
        old = found.get("observedGeneration", item["metadata"].get("generation"))
        if found["type"] == kind and old == item["metadata"].get("generation"):
            return dict(found)
    return {}


def is_given_up(service: Object) -> bool:
    """Whether KubeRay does nothing more for it."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(found["type"] == READY and found["reason"] == GIVEN_UP for found in conditions)


def takes_requests(service: Object) -> bool:
    """Whether KubeRay says that its Service leads to somebody."""
    return condition(service, READY).get("status") == "True"


def _belongs(pod: Object, service: Object) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(ENDPOINT_LABEL) == service["metadata"]["name"])


def _replicas_told(service: Object) -> tuple[int, int]:
    fewest, _, most = (annotation(service, REPLICAS_ANNOTATION) or "0-0").partition("-")
    return int(fewest), int(most)


def _failure(service: Object) -> str:
    ready = condition(service, READY)
    if ready.get("reason") in HOPELESS:
        return f"KubeRay gives up: {ready['message']}"[:MAX_REASON]
    status = service.get("status") or {}
    if status.get("observedGeneration", 0) < service["metadata"].get("generation", 0):
        return ""  # said of what it was before
    for part in ("pendingServiceStatus", "activeServiceStatus"):
        for application in ((status.get(part) or {}).get("applicationStatuses") or {}).values():
            if application.get("status") == "DEPLOY_FAILED":
                return _said(application)[:MAX_REASON]
    return ""


def _waits(service: Object) -> str:
    for part in ("pendingServiceStatus", "activeServiceStatus"):
        found = ((service.get("status") or {}).get(part) or {}).get("applicationStatuses") or {}
        if said := "\n".join(filter(None, map(_said, found.values()))):
            return said
    return ""


def _said(application: Mapping[str, Any]) -> str:
    deployments = (application.get("serveDeploymentStatuses") or {}).values()
    return "\n".join(filter(None, [application.get("message"), *(each.get("message") for each in deployments)]))


def _failure_of_pods(pods: Iterable[Object], since_unix_s: float) -> str:
    """Why a pod does not run that has not run since then; empty when all do."""
    return next((line for pod in pods for line in _failures_of_pod(pod, since_unix_s)), "")


def _failures_of_pod(pod: Object, since_unix_s: float) -> Iterator[str]:
    status = pod.get("status") or {}
    for found in status.get("conditions") or ():
        unscheduled = found["type"] == "PodScheduled" and found.get("reason") == "Unschedulable"
        if unscheduled and _unix_s(found.get("lastTransitionTime")) <= since_unix_s:
            yield f"no machine can hold a pod of it: {found.get('message', '')}"[:MAX_REASON]
    began_unix_s = _unix_s(pod["metadata"].get("creationTimestamp"))
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason")
        often = reason == "CrashLoopBackOff" and container.get("restartCount", 0) >= RESTARTS_TOO_OFTEN
        if often or (reason in BROKEN_CONTAINER and began_unix_s <= since_unix_s):
            yield f"a pod of it does not start: {reason}: {waiting.get('message', '')}"[:MAX_REASON]


def _last_warning(name: str, service: Object, events: Iterable[Object]) -> str:
    """The newest warning about the RayService, its clusters or their pods, whose names begin with its own."""
    since = service["metadata"].get("creationTimestamp", "")
    about = [
        event
        for event in events
        if (of := (event.get("involvedObject") or {}).get("name", "")) == name or of.startswith(f"{name}-")
    ]
    newest = max(about, key=_when, default=None)
    if newest is None or _when(newest) < since:
        return ""
    return f"{newest.get('reason', '')}: {newest.get('message', '')}"


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp", ""))


def _unix_s(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
