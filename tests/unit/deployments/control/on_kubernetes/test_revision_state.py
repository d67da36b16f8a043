"""How far a revision is, from documents as the API server gives them."""

from __future__ import annotations

import pytest

from deployments.control.on_kubernetes.revision_state import Answer, revision_state, takes_requests
from deployments.control.platform import Phase

NOW_UNIX_S = 1_800_000_000.0
COLD = Answer()
OLD, NEW = "2027-01-15T07:00:00Z", "2027-01-15T07:59:55Z"  # NOW is 08:00:00


def service(*conditions, suspend: bool = False, generation: int = 2, **status):
    return {
        "metadata": {
            "name": "plates-r1",
            "generation": generation,
            "creationTimestamp": OLD,
            "annotations": {"sightline/replicas": "1-4"},
        },
        "spec": {"suspend": suspend},
        "status": {"conditions": list(conditions), "observedGeneration": 2, **status},
    }


def said(kind: str, holds: bool, reason: str, message: str = "", generation: int = 2):
    words = {"type": kind, "status": str(holds), "reason": reason, "message": message}
    return {**words, "observedGeneration": generation}


def pod(status, name: str = "plates-r1", created: str = OLD):
    labels = {"sightline/endpoint": name}
    return {"metadata": {"name": "p", "labels": labels, "creationTimestamp": created}, "status": status}


def unschedulable(since: str):
    found = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no card"}
    return {"conditions": [{**found, "lastTransitionTime": since}]}


def waiting(reason: str, restarts: int = 0):
    state = {"waiting": {"reason": reason, "message": "why"}}
    return {"containerStatuses": [{"name": "ray", "restartCount": restarts, "state": state}]}


def state(item, pods=(), events=(), answer=COLD):
    return revision_state(item, pods, events, answer, now_unix_s=NOW_UNIX_S, patience_s=60)


def test_nothing_known_yet_is_starting():
    bare = {"metadata": {"name": "x", "generation": 1}, "spec": {}}
    assert state(bare).phase is Phase.STARTING


def test_suspended_it_is_stopping_while_there_are_pods_and_then_nothing():
    assert state(service(suspend=True), [pod({})]).phase is Phase.STOPPING
    assert state(service(suspend=True), [pod({}, name="other")]) is None


def test_what_is_being_deleted_stops():
    item = service()
    item["metadata"]["deletionTimestamp"] = NEW
    assert state(item).phase is Phase.STOPPING


def test_warm_is_ready_whatever_else_is_said():
    broken = pod(waiting("CrashLoopBackOff", 9))
    item = service(said("Ready", False, "ZeroServeEndpoints"))
    found = state(item, [broken], (), Answer(warm=True, num_replicas=2))
    assert (found.phase, found.num_replicas, found.replicas) == (Phase.READY, 2, (1, 4))
    assert found.route == "plates-r1-serve-svc"


@pytest.mark.parametrize("reason", ["InitializingTimeout", "ValidationFailed"])
def test_what_kuberay_gives_up_has_failed(reason):
    found = state(service(said("Ready", False, reason, "it says why")))
    assert (found.phase, "it says why" in found.reason) == (Phase.FAILED, True)


@pytest.mark.parametrize("part", ["pendingServiceStatus", "activeServiceStatus"])
def test_what_serve_cannot_deploy_has_failed(part):
    deployments = {"TextReader": {"status": "UNHEALTHY", "message": "no model"}}
    status = {
        "applicationStatuses": {
            "x": {"status": "DEPLOY_FAILED", "message": "m", "serveDeploymentStatuses": deployments}
        }
    }
    found = state(service(**{part: status}))
    assert (found.phase, found.reason) == (Phase.FAILED, "m\nno model")


def test_what_was_said_of_an_earlier_generation_is_not_true_of_this_one():
    status = {"applicationStatuses": {"x": {"status": "DEPLOY_FAILED", "message": "m"}}}
    item = service(said("Ready", True, "NonZeroServeEndpoints"), generation=3, activeServiceStatus=status)
    assert state(item).phase is Phase.STARTING
    assert not takes_requests(item)
    assert takes_requests(service(said("Ready", True, "NonZeroServeEndpoints")))


@pytest.mark.parametrize(
    ("status", "created", "phase"),
    [
        (unschedulable(OLD), OLD, Phase.FAILED),
        (unschedulable(NEW), OLD, Phase.STARTING),
        (waiting("ImagePullBackOff"), OLD, Phase.FAILED),
        (waiting("ImagePullBackOff"), NEW, Phase.STARTING),
        (waiting("CrashLoopBackOff", 3), NEW, Phase.FAILED),
        (waiting("CrashLoopBackOff", 2), OLD, Phase.STARTING),
        (waiting("PodInitializing"), OLD, Phase.STARTING),
    ],
)
def test_a_pod_that_does_not_run_fails_it_after_a_while(status, created, phase):
    assert state(service(), [pod(status, created=created)]).phase is phase


def test_a_wait_is_explained_before_it_is_a_failure():
    assert "no machine can hold a pod of it: no card" in state(service(), [pod(unschedulable(NEW))]).reason


def test_pods_of_others_are_no_reason():
    found = state(service(), [pod(unschedulable(OLD), name="plates-r2")])
    assert (found.phase, found.reason) == (Phase.STARTING, "")


def test_the_newest_warning_about_it_is_the_reason():
    def event(name: str, at: str, message: str):
        about = {"involvedObject": {"name": name}, "lastTimestamp": at, "reason": "R", "message": message}
        return {"metadata": {"name": message}, **about}

    events = [
        event("plates-r1-abcde", NEW, "newest"),
        event("plates-r1", OLD, "older"),
        event("plates-r12", NEW, "another's"),
        event("plates-r1", "2027-01-14T00:00:00Z", "of one that had its name before"),
    ]
    assert state(service(), events=events).reason == "R: newest"
    assert state(service(), events=events[2:]).reason == ""
