"""Ray's GCS server in a cluster of one machine: watched, and started anew where it left its state behind.

KubeRay does it on Kubernetes, by another head. Requests need no GCS: while it is away they are answered, and replicas
are neither started nor ended.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from deployments.settings import redis_password

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5


def keep_gcs_running() -> None:
    """Look after it for as long as this process lives; from the main thread, with which it would end.

    Where nothing was kept it is not started anew: the cluster is lost, and Ray ends it by itself.
    """
    import ray._private.worker  # there is no public way to start a part of a node

    node: Any = ray._private.worker._global_node
    kept = node._is_rocksdb_gcs() or node.redis_address is not None
    while True:
        time.sleep(LOOK_EVERY_S)
        processes = node.all_processes.get("gcs_server", [])
        if not kept or (processes and processes[0].process.poll() is None):
            continue
        logger.warning("the GCS ended; starting it anew")
        if processes:
            node.kill_gcs_server(check_alive=False)  # collects it, and forgets where it was
        node.start_gcs_server()  # at the same port, with what was kept
        logger.warning("the GCS is back")


def forget_in_redis(host: str, port: int, namespace: str) -> None:
    """Remove what a former run left there: its processes are gone, so must be what was known of them."""
    from ray._private.gcs_utils import cleanup_redis_storage

    cleanup_redis_storage(host, port, redis_password(), use_ssl=False, storage_namespace=namespace)
