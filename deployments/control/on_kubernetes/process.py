"""The process of the control plane on Kubernetes: its HTTP, its reconciler, and what is said at hosts that rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn

from deployments.control.access import Access
from deployments.control.machine_types import MachineTypes
from deployments.control.on_kubernetes.answers import Answers, inside_the_cluster
from deployments.control.on_kubernetes.cluster_api import connect
from deployments.control.on_kubernetes.host_routes import HostRoutes
from deployments.control.on_kubernetes.kubernetes_platform import OnKubernetes
from deployments.control.on_kubernetes.resting_hosts import RestingHosts
from deployments.control.process import END_WITHIN_S, run_or_end
from deployments.control.reconciler import Reconciler
from deployments.control.routes import create_control_app
from deployments.control.service import EndpointService
from deployments.kubernetes.values import Values
from deployments.observability.logs import configure_logging
from deployments.storage.database import Database

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KubernetesOptions:
    """What the control plane on Kubernetes must know.

    Attributes:
        host: address it answers on.
        port: and where there.
        values: what all endpoints have in common.
        shipped: content of serve_config.yaml.
        environment: what every process of an endpoint must have.
        machine_types: those there are.
    """

    host: str
    port: int
    values: Values
    shipped: Mapping[str, Any]
    environment: Mapping[str, str]
    machine_types: MachineTypes


def run(options: KubernetesOptions, database: Database, access: Access) -> None:
    """Run until SIGTERM.

    Raises:
        PlatformError: there is no cluster.
    """
    configure_logging()
    values = options.values
    api, inside = connect(values.namespace)
    answers = Answers(inside_the_cluster(values.namespace) if inside else api.ask_service)
    platform = OnKubernetes(api, answers, values, options.shipped, options.environment)
    resting = RestingHosts(values.domain, values.control_host)
    # KubeRay gives up a cluster after twice the time of a start, with a reason; that is waited for.
    reconciler = Reconciler(
        database,
        platform,
        HostRoutes(api, values, resting),
        options.machine_types,
        start_timeout_s=2.0 * values.startup_s + values.control.unschedulable_s,
    )
    service = EndpointService(database, options.machine_types, reconciler.changed, domain=values.domain)
    app = create_control_app(service, access, database, None)
    loop = threading.Thread(target=run_or_end, args=(reconciler,), name="reconciler", daemon=True)
    loop.start()
    if values.control.database_secret is None:
        logger.warning("requests to endpoints need no keys: control.database_secret names no PostgreSQL for their pods")
    logger.info("started", extra={"port": options.port})
    uvicorn.run(resting.before(app), host=options.host, port=options.port, log_config=None, access_log=False)
    reconciler.stop()
    loop.join(END_WITHIN_S)
