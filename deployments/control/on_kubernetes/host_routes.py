"""Where hosts lead on Kubernetes: one HTTPRoute or Ingress a host, to an endpoint's Service, or to the control plane
while the endpoint answers nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from deployments.control.errors import PlatformError
from deployments.control.on_kubernetes.cluster_api import (
    HTTP_ROUTES,
    INGRESSES,
    AlreadyThereError,
    ClusterApi,
    InvalidObjectError,
    NotThereError,
)
from deployments.control.on_kubernetes.endpoint_objects import CONTENT_ANNOTATION, content_of, digest
from deployments.control.on_kubernetes.resting_hosts import RestingHosts
from deployments.control.on_kubernetes.watched import Watched
from deployments.kubernetes.objects import (
    CONTROL_PORT,
    HOST_LABEL,
    MANAGER,
    MANAGER_LABEL,
    SERVE_PORT,
    Object,
)
from deployments.kubernetes.routes import route_of_host
from deployments.kubernetes.values import Gateway, NoRoute, Values

logger = logging.getLogger(__name__)


class HostRoutes:
    """An `Edge` of routes."""

    def __init__(self, api: ClusterApi, values: Values, resting: RestingHosts, *, watch_s: float = 60.0) -> None:
        """Begin to watch the routes that there are.

        Args:
            api: the cluster.
            values: say what kind of routes, and the domain.
            resting: told which hosts the control plane answers for.
            watch_s: how long one watch lasts.
        """
        self._api = api
        self._values = values
        self._resting = resting
        self._complaints: dict[str, str] = {}
        self._kind = HTTP_ROUTES if isinstance(values.route, Gateway) else INGRESSES
        self._watched = Watched(api, self._kind, labels=f"{MANAGER_LABEL}={MANAGER},{HOST_LABEL}", watch_s=watch_s)
        if not isinstance(values.route, NoRoute):
            self._watched.start()

    def stop(self) -> None:
        """Watch no more."""
        self._watched.stop()

    def lead(self, targets: Mapping[str, str]) -> None:
        """See `Edge`; a target is the name of a Service, or `=` and a state.

        Raises:
            PlatformError: the cluster does not take them; what it did take stays.
        """
        whole = {self._host_of(name): target for name, target in targets.items()}
        # First of all: a route that comes to the control plane finds that it knows.
        self._resting.states = {host: target[1:] for host, target in whole.items() if target.startswith("=")}
        if isinstance(self._values.route, NoRoute):
            return
        wanted = {
            item["metadata"]["name"]: item for host, target in whole.items() for item in [self._route(host, target)]
        }
        self._complaints = {name: why for name, why in self._complaints.items() if name in wanted}
        there = self._watched.items()
        for name, item in wanted.items():
            try:
                if name not in there:
                    self._add(item)
                elif content_of(there[name]) != content_of(item):
                    self._change(item)
            except InvalidObjectError as error:
                self._complain(name, error.message)
        for name, item in there.items():
            if name not in wanted and "deletionTimestamp" not in item["metadata"]:
                self._api.delete(self._kind, name, item["metadata"]["uid"])

    def _add(self, item: Object) -> None:
        name = item["metadata"]["name"]
        try:
            self._api.create(self._kind, item)
        except AlreadyThereError:
            there = self._api.get(self._kind, name)  # made a moment ago and not seen yet, or somebody else's
        else:
            return
        if HOST_LABEL not in (there["metadata"].get("labels") or {}):
            self._complain(name, "there is one that is not ours; remove it")
        elif content_of(there) != content_of(item):
            self._change(item)

    def _complain(self, name: str, why: str) -> None:
        """Of one route alone, once: the others are not held up by it, and it is tried again at each look."""
        if self._complaints.get(name) != why:
            logger.error("a route cannot be made", extra={"route": name, "error": why})
        self._complaints[name] = why

    def _change(self, item: Object) -> None:
        try:
            self._api.patch(self._kind, item["metadata"]["name"], {key: item[key] for key in ("metadata", "spec")})
        except NotThereError as error:
            raise PlatformError(f"the route {item['metadata']['name']} was removed; it is made anew") from error

    def _host_of(self, name: str) -> str:
        return name.lower() if "." in name else f"{name}.{self._values.domain}"

    def _route(self, host: str, target: str) -> Object:
        service, port = (MANAGER, CONTROL_PORT) if target.startswith("=") else (target, SERVE_PORT)
        item = route_of_host(self._values, host, service, port)
        item["metadata"]["annotations"] = {**item["metadata"].get("annotations", {}), CONTENT_ANNOTATION: digest(item)}
        return item
