"""Every environment switch of Ray, Ray Serve, Serve's HAProxy and the C library that we set. No other file names one.

Ray reads them when it is imported, in every process of the cluster, so they must be set before the first of these
starts: `sightline serve` does it, and `sightline environment` prints them for images and manifests. They belong to the
pinned version of Ray and may change with it.

Source: ray 2.60.0, `ray/serve/_private/constants.py`, `haproxy.py`, `haproxy_templates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deployments.cli.gcs_storage import GcsStorage

Proxy = Literal["haproxy", "python"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServePorts:
    """Ports that Serve binds on one machine besides its HTTP port.

    Attributes:
        fallback_proxy: the Python proxy that answers while an application has no replica.
        grpc: Serve's own gRPC door, where one is asked for.
        fallback_grpc: the Python proxy's gRPC; the same.
        haproxy_stats: HAProxy's own page; bound on all interfaces, Serve has no switch for it.
        haproxy_metrics: HAProxy's Prometheus endpoint; the same.
        control: the control plane's; ours, not Serve's.
        metrics: Ray's own, where Prometheus finds the metrics of all processes.
        first_replica: first port of the WorkflowRouter replicas.
        replicas: how many ports follow it.
        first_replica_grpc: first port of their gRPC; as many follow it.
    """

    fallback_proxy: int = 8500
    grpc: int = 9000
    fallback_grpc: int = 9500
    control: int = 9600
    metrics: int = 8080
    haproxy_stats: int = 8404
    haproxy_metrics: int = 9101
    first_replica: int = 30000
    replicas: int = 1000
    first_replica_grpc: int = 40000


def throughput_environment() -> dict[str, str]:
    """What makes Serve cheap: one event loop a replica, gRPC between deployments, buffered logs."""
    return {
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # Between deployments; the default of 4 MiB is less than the crops of a few requests.
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(2**31 - 1),
        # Of clients' gRPC; what a request may really have is the ingress's to say.
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(256 * 1024 * 1024),
        "RAY_SERVE_FREEZE_GC_ON_STARTUP": "1",
        "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "2000",  # the default wakes every process ten times a second
        # Of the C library, 2.35 and later: memory is asked for in pages of 2 MiB, where the system is set to "madvise".
        # A picture that is too large to be kept (`keep_freed_memory`) is faulted in page by page otherwise.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }


def proxy_environment(proxy: Proxy, *, ports: ServePorts | None = None, run_dir: Path | None = None) -> dict[str, str]:
    """How requests enter the cluster.

    Args:
        proxy: `haproxy` hands connections straight to WorkflowRouter replicas; `python` is Serve's own proxy.
        ports: ports to bind; Ray's defaults when None.
        run_dir: folder for HAProxy's files, of a short path: its sockets' names are limited to 107 bytes.
    """
    if proxy == "python":
        # Throughput mode would turn direct ingress on, and with it the proxy off.
        return {"RAY_SERVE_ENABLE_HA_PROXY": "0", "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0"}
    environment = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        # One datagram a request, parsed in Python by Serve's HAProxy actor; our routers count requests themselves.
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_NBTHREAD": "1",
        # Takes requests to our application before Serve's wrapper does.
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "deployments.ingress.short_way.middlewares",
    }
    if ports is not None:
        environment |= {
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback_proxy),
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.fallback_grpc),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
            "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports.first_replica),
            "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports.first_replica + ports.replicas),
            "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(ports.first_replica_grpc),
            "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(ports.first_replica_grpc + ports.replicas),
        }
    if run_dir is not None:
        environment |= {
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(run_dir / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(run_dir / "a.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(run_dir / "m.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(run_dir),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(run_dir / "server-state"),
        }
    return environment


def local_environment() -> dict[str, str]:
    """For a cluster that one command starts and stops on one machine, shared with whatever else runs there."""
    return {
        "RAY_AUTH_MODE": "disabled",  # everything listens on loopback; a token found in the home would be used else
        # Despite its name, on any system: the node is 127.0.0.1, and Ray listens there alone.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # Ray's own 15 would starve the replicas on a busy machine
        "RAY_prestart_worker_first_driver": "1",
        "RAY_enable_worker_prestart": "0",
        "RAY_memory_monitor_refresh_ms": "0",  # never kill a replica because of what others on the machine use
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
        "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "10",
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "30",  # a busy machine takes longer than 5 s to start a process
        "RAY_SERVE_LOG_TO_STDERR": "0",
        # What a cluster at rest costs, it costs under load too, and one machine has few processes to look after: the
        # controller need not look ten times a second, nor the node tell of its resources as often, and nobody reads
        # Ray's record of tasks where there is no dashboard, nor how long each of its own event handlers took.
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
        "RAY_raylet_report_resources_period_milliseconds": "1000",
        "RAY_object_manager_timer_freq_ms": "1000",
        "RAY_task_events_report_interval_ms": "0",
        "RAY_event_stats": "0",
        "REPORTER_UPDATE_INTERVAL_MS": "15000",
    }


def gcs_environment(storage: GcsStorage, *, folder: Path, namespace: str) -> dict[str, str]:
    """Where the GCS keeps what it knows. On Kubernetes KubeRay sets the same, from `gcsFaultToleranceOptions`.

    Args:
        storage: the kind of it.
        folder: for the files of RocksDB.
        namespace: before all keys in Redis, which other clusters may use too.
    """
    if storage.backend == "none":
        return {}
    # Everybody waits that long for another GCS, not one minute: what KubeRay sets in such a cluster.
    patient = {"RAY_gcs_rpc_server_reconnect_timeout_s": "600"}
    if storage.backend == "rocksdb":
        return patient | {"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": str(folder)}
    return patient | {"RAY_REDIS_ADDRESS": storage.redis_address, "RAY_external_storage_namespace": namespace}


def cluster_environment(
    proxy: Proxy, *, ports: ServePorts | None = None, run_dir: Path | None = None, local: bool = False
) -> dict[str, str]:
    """Everything to set before a process of the cluster starts; arguments as above.

    Args:
        proxy: see `proxy_environment`.
        ports: see there.
        run_dir: see there.
        local: whether it is a cluster of one machine that stops with its command.
    """
    environment = throughput_environment() | proxy_environment(proxy, ports=ports, run_dir=run_dir)
    return environment | local_environment() if local else environment
