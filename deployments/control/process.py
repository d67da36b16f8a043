"""The process of the control plane: its HTTP and its reconciler, beside the cluster.

It serves no request of an endpoint: when it dies, endpoints answer on, and the launcher starts it anew.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

import uvicorn

from deployments.control.access import KeyAccess, OpenAccess
from deployments.control.machine_types import read_machine_types
from deployments.control.one_machine import OneMachine, ready_probe
from deployments.control.options import ControlOptions
from deployments.control.reconciler import Reconciler
from deployments.control.routes import create_control_app
from deployments.control.serve_client import ServeClient
from deployments.control.service import EndpointService
from deployments.edge.runtime import RunningEdge
from deployments.observability.logs import configure_logging
from deployments.storage.database import open_database

END_WITHIN_S = 1.0


def main() -> None:
    """Run until SIGTERM; the options are one JSON text on stdin."""
    options = ControlOptions.model_validate_json(sys.stdin.read())
    configure_logging()
    database = open_database(options.database_url)
    machine_types = read_machine_types(options.machine_types)
    platform = OneMachine(ServeClient(options.ray_address), ready_probe(options.edge.serve_port))
    edge = RunningEdge(options.edge, options.edge_dir)
    reconciler = Reconciler(database, platform, edge, machine_types, start_timeout_s=options.start_timeout_s)
    service = EndpointService(database, machine_types, reconciler.changed, domain=options.edge.domain)
    access = KeyAccess(database) if options.require_keys else OpenAccess()
    app = create_control_app(service, access, database, options.log_root)
    loop = threading.Thread(target=run_or_end, args=(reconciler,), name="reconciler", daemon=True)
    loop.start()
    logging.getLogger(__name__).info("started", extra={"port": options.port})
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_config=None, access_log=False)
    reconciler.stop()
    loop.join(END_WITHIN_S)


def run_or_end(reconciler: Reconciler) -> None:
    """A control plane that answers and does nothing is worse than one that is started anew."""
    try:
        reconciler.run()
    except BaseException:
        logging.getLogger(__name__).exception("the reconciler ended")
        os._exit(1)


if __name__ == "__main__":
    main()
