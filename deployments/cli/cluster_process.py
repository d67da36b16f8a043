"""The process that holds a local cluster: it starts Ray and Serve, deploys, and ends when told to.

`sightline serve` starts it with the environment that Ray needs, and reads what it prints: one JSON object a line,
`{"stage": ..., "text": ...}`. Ray's processes are its children, its own complaints go to stderr.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import BaseModel, ConfigDict

from deployments.cli.gcs_process import forget_in_redis, keep_gcs_running
from deployments.cli.processes import adopt_orphans, end_with_parent, stop_descendants
from deployments.cli.serve_config import ServeConfigError, check_serve_config
from deployments.errors import ServingError
from deployments.settings import ClusterArgs, redis_password

POLL_S = 0.1


class ClusterOptions(BaseModel):
    """What to start.

    Attributes:
        serve_config: Serve's configuration, overrides included.
        ray_dir: Ray's folder for sockets and logs; of a short path.
        metrics_port: where Ray shows the metrics of all processes.
        object_store_bytes: shared memory for objects; calls travel over gRPC, so little is needed.
        redis: host, port and the namespace of its keys, where the GCS keeps its state in a Redis.
        parent: process that must live as long as this one.
    """

    model_config = ConfigDict(extra="forbid")

    serve_config: dict[str, Any]
    ray_dir: Path
    metrics_port: int
    object_store_bytes: int = 96 * 1024 * 1024
    redis: tuple[str, int, str] | None = None
    parent: int


def main() -> None:
    """Run until SIGTERM; the options are one JSON text on stdin."""
    options = ClusterOptions.model_validate_json(sys.stdin.read())
    adopt_orphans()
    signal.signal(signal.SIGTERM, _end)
    end_with_parent(options.parent)
    try:
        check_serve_config(options.serve_config, ClusterArgs)
        _check_models(options)
        if options.redis is not None:
            forget_in_redis(*options.redis)
        _start_ray(options)
        say("address", _ray_address())
        _deploy(options)
    except ServeConfigError as error:
        say("failed", error.message)
        sys.exit(1)
    keep_gcs_running()


def _end(number: int, frame: FrameType | None) -> None:
    """Leave nothing behind, even when the launcher was killed and cannot see to it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stop_descendants(os.getpid(), patience_s=2.0, hurry=threading.Event())
    os._exit(0)


def say(stage: str, text: str) -> None:
    """Tell the launcher: `progress`, `address` (of Ray), `running` or `failed`."""
    print(json.dumps({"stage": stage, "text": text}), flush=True)


def _check_models(options: ClusterOptions) -> None:
    """Refuse models that cannot be served before anything starts; packages from URLs are fetched here, once.

    Raises:
        ServeConfigError: says what is wrong, and with which application.
    """
    from deployments.dataplane.own_deployments import deployment_names
    from deployments.dataplane.served_models import served_models

    for application in options.serve_config["applications"]:
        args = ClusterArgs.model_validate(application.get("args") or {})
        if any("://" in entry for entry in args.models_dir):
            say("progress", "fetching models")
        try:
            deployment_names(served_models(args))
        except ServingError as error:
            raise ServeConfigError(f"applications.{application['name']}: {error.message}") from error


def _start_ray(options: ClusterOptions) -> None:
    import ray

    from deployments.control.placement import impossible_replicas  # numpy with it: the launcher needs none

    say("progress", "starting Ray")
    ray.init(
        address="local",
        include_dashboard=False,
        object_store_memory=options.object_store_bytes,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _temp_dir=str(options.ray_dir),
        _node_ip_address="127.0.0.1",
        _metrics_export_port=options.metrics_port,
        _redis_password=redis_password(),
    )
    _stop_watchers()
    signal.signal(signal.SIGTERM, _end)  # Ray has put its own in place
    machines = [node["Resources"] for node in ray.nodes()]  # type: ignore[no-untyped-call]
    impossible = impossible_replicas(options.serve_config, machines)
    if impossible:
        raise ServeConfigError("no machine can hold what the configuration asks for:\n  " + "\n  ".join(impossible))


def _stop_watchers() -> None:
    """End two processes of every head node: one prints what others print, which is off, one adds machines."""
    from ray._private import worker  # `ray.init` has no option for either

    node: Any = worker._global_node  # Ray was just started
    node.kill_log_monitor(check_alive=False)
    node.kill_monitor(check_alive=False)


def _ray_address() -> str:
    import ray

    return str(ray.get_runtime_context().gcs_address)


def _deploy(options: ClusterOptions) -> None:
    from ray import serve
    from ray.serve.context import _get_global_client  # what `serve run` uses; there is no public way
    from ray.serve.schema import ServeDeploySchema

    say("progress", "starting Ray Serve")
    config = options.serve_config
    serve.start(
        proxy_location=config.get("proxy_location", "HeadOnly"),
        http_options=config["http_options"],
        grpc_options=config.get("grpc_options"),
        logging_config=config.get("logging_config"),
    )
    client = _get_global_client()
    assert client is not None  # it was just started
    client.deploy_apps(ServeDeploySchema.model_validate(config))
    names = {application["name"] for application in config["applications"]}
    told: set[str] = set()
    while True:
        applications = serve.status().applications
        for name, application in applications.items():
            if application.status in ("DEPLOY_FAILED", "UNHEALTHY"):
                reasons = [application.message, *(d.message for d in application.deployments.values())]
                raise ServeConfigError(f"{name} does not start: " + "\n".join(filter(None, reasons)))
            for deployment, status in application.deployments.items():
                if status.status == "HEALTHY" and deployment not in told:
                    told.add(deployment)
                    say("progress", f"{deployment} is up")
        if names <= set(applications) and all(applications[name].status == "RUNNING" for name in names):
            break
        time.sleep(POLL_S)
    say("running", ", ".join(sorted(names)))


if __name__ == "__main__":
    main()
