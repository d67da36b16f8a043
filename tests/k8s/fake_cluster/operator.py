"""KubeRay's operator, a scheduler and the endpoints' own processes, as far as the API server shows them; in steps.

Source of conditions and of suspending: KubeRay 1.7, ray-operator/apis/ray/v1/rayservice_types.go and its end-to-end
tests of suspending.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

import yaml

from tests.k8s.fake_cluster.api_server import ApiServer
from tests.k8s.fake_cluster.store import Object, Refused

CARD = "nvidia.com/gpu"


class Operator:
    """Moves everything on by one step each time; `machines` are labels and cards of each machine."""

    def __init__(self, server: ApiServer, machines: list[tuple[dict[str, str], int]] | None = None) -> None:
        self.server = server
        self.store = server.store
        self.machines = machines if machines is not None else [({}, 0)]
        self.cold: set[str] = set()  # RayServices whose processes never answer
        self.fails: dict[str, str] = {}  # text reader -> why Serve cannot deploy it
        self.broken_images: set[str] = set()
        self.running: dict[str, int] = {}  # RayService -> replicas
        server.services = self.answer

    def step(self) -> None:
        for service in self.store.all("rayservices")[0]:
            try:
                self._look_after(service)
            except Refused as refusal:  # somebody changed it at the same time
                if refusal.code not in (404, 409):
                    raise
        self.store.collect_garbage()

    def _look_after(self, service: Object) -> None:
        metadata, spec = service["metadata"], service["spec"]
        name = metadata["name"]
        pods = self._pods(name)
        if "deletionTimestamp" in metadata:
            self._end(name, pods)
        elif spec.get("suspend"):
            self._end(name, pods)
            suspending = bool(pods)
            why = "SuspendInProgress" if suspending else "SuspendComplete"
            conditions = [
                self._condition(service, "Ready", False, "RayServiceSuspended"),
                self._condition(service, "Suspending", suspending, why),
                self._condition(service, "Suspended", not suspending, "SuspendComplete"),
            ]
            self._say(service, {"conditions": conditions, "activeServiceStatus": None, "pendingServiceStatus": None})
        elif not pods:
            self._begin(service)
        else:
            self._go_on(service, pods)

    def _begin(self, service: Object) -> None:
        cluster = f"{service['metadata']['name']}-{secrets.token_hex(3)[:5]}"
        config = service["spec"]["rayClusterConfig"]
        self._pod(service, cluster, "head", config["headGroupSpec"]["template"])
        for group in config.get("workerGroupSpecs") or ():
            for number in range(group["minReplicas"]):
                self._pod(service, cluster, f"{group['groupName']}-worker-{number}", group["template"])
        conditions = [self._condition(service, "Ready", False, "Initializing")]
        self._say(service, {"conditions": conditions, "pendingServiceStatus": {"rayClusterName": cluster}})

    def _pod(self, service: Object, cluster: str, role: str, template: Object) -> None:
        owner = {key: service["metadata"][key] for key in ("name", "uid")}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{cluster}-{role}",
                "labels": {**template["metadata"]["labels"], "ray.io/cluster": cluster},
                # The cluster's, in fact, which belongs to the RayService.
                "ownerReferences": [{"apiVersion": "ray.io/v1", "kind": "RayService", **owner}],
            },
            "spec": template["spec"],
            "status": {"phase": "Pending", **self._scheduled(template["spec"])},
        }
        self.store.create("pods", pod, namespace=self.server.namespace)

    def _scheduled(self, spec: Object) -> Object:
        wanted = (spec.get("nodeSelector") or {}).items()
        limits = spec["containers"][0]["resources"]["limits"]
        cards = int(limits.get(CARD, 0))
        if any(wanted <= labels.items() and cards <= has for labels, has in self.machines):
            return {"conditions": [{"type": "PodScheduled", "status": "True"}]}
        message = (
            f"0/{len(self.machines)} nodes are available: {len(self.machines)} node(s) didn't match Pod's node selector"
        )
        return {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": message,
                    "lastTransitionTime": _now(),
                }
            ]
        }

    def _go_on(self, service: Object, pods: list[Object]) -> None:
        name = service["metadata"]["name"]
        if any(pod["spec"]["containers"][0]["image"] in self.broken_images for pod in pods):
            for pod in pods:
                waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
                self._say_of_pod(pod, {"containerStatuses": [{"name": "ray", "state": {"waiting": waiting}}]})
            return
        if any(pod["status"]["conditions"][0]["status"] == "False" for pod in pods):
            return
        if any(pod["status"]["phase"] == "Pending" for pod in pods):
            for pod in pods:
                self._say_of_pod(pod, {"phase": "Running"})
            return
        cluster = pods[0]["metadata"]["labels"]["ray.io/cluster"]
        config = yaml.load(service["spec"]["serveConfigV2"], yaml.CSafeLoader)
        application = config["applications"][0]
        why = self.fails.get(application["args"].get("text_reader_model", ""))
        said = {"status": "DEPLOY_FAILED", "message": why} if why else {"status": "RUNNING"}
        deployments = {
            each["name"]: {"status": "UNHEALTHY" if why else "HEALTHY"} for each in application["deployments"]
        }
        status = {
            "rayClusterName": cluster,
            "applicationStatuses": {name: {**said, "serveDeploymentStatuses": deployments}},
        }
        if why:
            conditions = [self._condition(service, "Ready", False, "Initializing")]
            self._say(service, {"conditions": conditions, "pendingServiceStatus": status})
            return
        self.running[name] = application["deployments"][0]["autoscaling_config"]["min_replicas"]
        conditions = [self._condition(service, "Ready", True, "NonZeroServeEndpoints")]
        content = {"conditions": conditions, "activeServiceStatus": status, "pendingServiceStatus": None}
        self._say(service, {**content, "numServeEndpoints": 1, "serviceStatus": "Running"})

    def answer(self, service: str, port: int, path: str) -> Any:
        """What the processes of an endpoint say, through a Service."""
        if port == 8265 and path == "api/serve/applications/":
            count = self.running.get(service.removesuffix("-head-svc"), 0)
            replicas = [{"state": "RUNNING"}] * count
            return {"applications": {"x": {"deployments": {"WorkflowRouter": {"replicas": replicas}}}}}
        name = service.removesuffix("-serve-svc")
        warm = port == 8000 and path == "readiness" and self.running.get(name) and name not in self.cold
        return {"status": "ready"} if warm else None

    def _pods(self, name: str) -> list[Object]:
        return self.store.all("pods", lambda pod: pod["metadata"]["labels"].get("sightline/endpoint") == name)[0]

    def _end(self, name: str, pods: list[Object]) -> None:
        self.running.pop(name, None)
        for pod in pods:
            self.store.delete("pods", pod["metadata"]["name"])

    def _condition(self, service: Object, kind: str, holds: bool, reason: str) -> Object:
        return {
            "type": kind,
            "status": "True" if holds else "False",
            "reason": reason,
            "message": reason,
            "lastTransitionTime": _now(),
            "observedGeneration": service["metadata"]["generation"],
        }

    def _say(self, service: Object, status: Object) -> None:
        seen = {"observedGeneration": service["metadata"]["generation"]}
        old = {each["type"]: each for each in (service.get("status") or {}).get("conditions") or ()}
        for each in status["conditions"]:
            was = old.get(each["type"], {})
            if was.get("status") == each["status"]:
                each["lastTransitionTime"] = was["lastTransitionTime"]
        metadata = {"resourceVersion": service["metadata"]["resourceVersion"]}
        self.store.patch(
            "rayservices",
            service["metadata"]["name"],
            {"metadata": metadata, "status": {**status, **seen}},
            status=True,
        )

    def _say_of_pod(self, pod: Object, status: Object) -> None:
        self.store.patch("pods", pod["metadata"]["name"], {"status": status}, status=True)

    def warn(self, about: str, reason: str, message: str) -> None:
        """An event."""
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{about}.{secrets.token_hex(4)}"},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "involvedObject": {"kind": "RayService", "name": about},
            "lastTimestamp": _now(),
        }
        self.store.create("events", event, namespace=self.server.namespace)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
