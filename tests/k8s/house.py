"""A control plane over a cluster that is none: the real reconciler, database and client against the fake API server."""

from __future__ import annotations

import time
from collections.abc import Callable

from kubernetes import client
from sqlalchemy import event

from deployments.control.bodies import AddBody, shown_status
from deployments.control.endpoint import Endpoint
from deployments.control.errors import EndpointNotFoundError
from deployments.control.machine_types import MachineType, MachineTypes
from deployments.control.on_kubernetes.answers import Answers
from deployments.control.on_kubernetes.cluster_api import ClusterApi, api_client
from deployments.control.on_kubernetes.host_routes import HostRoutes
from deployments.control.on_kubernetes.kubernetes_platform import OnKubernetes
from deployments.control.on_kubernetes.resting_hosts import RestingHosts
from deployments.control.reconciler import Reconciler
from deployments.control.service import EndpointService
from deployments.errors import ServingError
from deployments.kubernetes.values import Values
from deployments.storage.database import open_database, sqlite_url
from deployments.storage.tables import ActualState
from tests.k8s.fake_cluster.api_server import TOKEN, ApiServer
from tests.k8s.fake_cluster.operator import Operator
from tests.unit.deployments.kubernetes.shipped import ENVIRONMENT, SHIPPED

WORKSPACE = "acme"
OWN_TYPES = [
    MachineType(name="l4", num_cpus=4, num_gpus=1, accelerator_type="L4"),
    MachineType(name="abacus", num_cpus=4, num_gpus=1, accelerator_type="ABACUS"),
]
VALUES = Values.model_validate(
    {
        "name": "shipped",
        "domain": "example.com",
        "worker_groups": [{"name": "cpu", "cpu": 4, "memory": "8Gi"}],
        "control": {"enabled": True, "unschedulable_s": 60},
    }
)
WITHIN_S = 30.0


def api(server: ApiServer) -> ClusterApi:
    settings = client.Configuration(host=server.url, api_key={"authorization": f"Bearer {TOKEN}"})
    return ClusterApi(api_client(settings), server.namespace)


class House:
    """Can be killed anywhere and started anew."""

    def __init__(self, server: ApiServer, path, operator: Operator | None = None, values: Values = VALUES) -> None:
        self.server = server
        self.operator = operator or Operator(server)
        self.values = values
        self.types = MachineTypes(OWN_TYPES)
        self.database = open_database(sqlite_url(path / "e.db"))
        event.listen(self.database._engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        self.database.close()
        self.ahead_s = 0.0
        self.last_error = ""
        self.start()

    def start(self) -> None:
        self.api = api(self.server)
        self.answers = Answers(self.api.ask_service, ask_every_s=0.02)
        self.platform = OnKubernetes(
            self.api, self.answers, self.values, SHIPPED, ENVIRONMENT, clock=self.now_unix_s, watch_s=5
        )
        self.resting = RestingHosts(self.values.domain, self.values.control_host)
        self.edge = HostRoutes(self.api, self.values, self.resting, watch_s=5)
        self.reconciler = Reconciler(self.database, self.platform, self.edge, self.types, clock=self.now_unix_s)
        self.service = EndpointService(
            self.database, self.types, lambda: None, domain=self.values.domain, clock=self.now_unix_s
        )

    def stop(self) -> None:
        self.platform.stop()
        self.edge.stop()
        self.answers.stop()
        self.database.close()

    def now_unix_s(self) -> float:
        return time.time() + self.ahead_s

    def add(self, name: str = "plates", kind: str = "prod-cpu", **more) -> Endpoint:
        return self.service.add(WORKSPACE, AddBody(deployment_name=name, machine_type=kind, **more))

    def endpoint(self, name: str = "plates") -> Endpoint:
        return self.service.get(WORKSPACE, name)

    def status(self, name: str = "plates") -> str:
        try:
            return shown_status(self.endpoint(name))
        except EndpointNotFoundError:
            return "gone"

    def round(self) -> None:
        """One look, and one step of the cluster; a failed one is tried again by the next, as `run` does."""
        try:
            self.reconciler.round()
        except ServingError as error:
            self.last_error = error.message
        self.operator.step()
        time.sleep(0.02)

    def until(self, holds: Callable[[], bool]) -> None:
        """Look again and again until something holds."""
        self._until(holds, self.round)

    def watches(self, holds: Callable[[], bool]) -> None:
        """Wait until what the watches tell makes something hold, without a look."""
        self._until(holds, lambda: time.sleep(0.02))

    def _until(self, holds: Callable[[], bool], step: Callable[[], None]) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < deadline_s, (self.status(), self.names("rayservices"), self.last_error)
            step()

    def becomes(self, status: str, name: str = "plates") -> None:
        self.until(lambda: self.status(name) == status)

    def delete(self, name: str = "plates") -> None:
        """Have it deleted, and wait until it is."""
        self.service.delete(WORKSPACE, name)
        self.until(lambda: all(e.name != name or e.actual is ActualState.DELETED for e in self._all()))

    def _all(self) -> list[Endpoint]:
        return self.service.all_of(WORKSPACE, deleted=True)

    def names(self, plural: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.server.store.all(plural)[0]]

    def route(self, host: str = "plates.example.com") -> str | None:
        """Where a host leads by the routes."""
        for item in self.server.store.all("httproutes")[0]:
            if item["spec"]["hostnames"] == [host]:
                return item["spec"]["rules"][0]["backendRefs"][0]["name"]
        return None
