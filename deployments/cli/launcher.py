"""Starting a local cluster and its edge, waiting until it answers, and stopping all of it again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from deployments.cli.cluster_process import ClusterOptions
from deployments.cli.control_process import ControlProcess
from deployments.cli.gcs_storage import GcsStorage
from deployments.cli.ports import choose_ports, has_ipv6_loopback, is_free
from deployments.cli.processes import adopt_orphans, end_with_parent, stop_descendants
from deployments.cli.ray_environment import Proxy, ServePorts, cluster_environment, gcs_environment
from deployments.cli.scrape_targets import write_targets
from deployments.cli.serve_config import application_paths, with_overrides
from deployments.control.options import ControlOptions
from deployments.edge.config import EdgeConfig, TlsFiles
from deployments.edge.process import start_edge
from deployments.errors import ServingError
from deployments.settings import DATABASE_VARIABLE, process_environment

if TYPE_CHECKING:  # cryptography: only for those who speak TLS
    from deployments.edge.certificate_watch import CertificateWatch

# Short and fixed: the names of sockets below it may not exceed 107 bytes, and Ray's take most of them.
RUN_ROOT = Path("/tmp")  # noqa: S108 - a folder of mode 0700 that must be ours is made in it
NO_GCS_STORAGE = GcsStorage()
START_TIMEOUT_S = 240.0
DEFAULT_TLS_PORT = 9443
DRAIN_S = 2.0
TERM_S = 2.5


class LaunchError(ServingError):
    """The cluster cannot be started, or ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """What to start.

    Attributes:
        port: where clients come in.
        proxy: `haproxy`, with the edge in front; or `python`, where Serve's own proxy takes the port itself.
        serve_config: Serve's configuration as read.
        host: address to listen on.
        require_keys: whether every request needs a key.
        domain: below which endpoints answer.
        database_url: where endpoints are kept.
        machine_types: an operator's file of machine types.
        trusted_proxies: addresses whose `X-Forwarded-*` headers the edge believes.
        tls_files: certificate and key; None to speak no TLS.
        tls_port: where clients come in over TLS.
        grpc_port: where clients of the Open Inference Protocol come in over gRPC; None to let none in.
        gcs: where Ray's GCS keeps what it knows.
        args: laid over the `args` of each application.
        run_dir: folder for sockets and logs, of a short path.
    """

    port: int
    proxy: Proxy
    serve_config: dict[str, Any]
    args: dict[str, Any]
    run_dir: Path
    database_url: str
    host: str = "127.0.0.1"
    require_keys: bool = False
    domain: str = "localhost"
    machine_types: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    tls_files: TlsFiles | None = None
    tls_port: int = DEFAULT_TLS_PORT
    grpc_port: int | None = None
    gcs: GcsStorage = NO_GCS_STORAGE

    @property
    def targets_path(self) -> Path:
        """The file that tells a Prometheus on this machine where to look; another start on this port keeps its name."""
        return self.run_dir / "prometheus.json"


@dataclass(slots=True, kw_only=True)
class LocalCluster:
    """A cluster with its edge, as processes below this one.

    Attributes:
        plan: what to start.
        say: told about progress.
        stopping: set when the start should be given up or the cluster be stopped.
        hurry: set when nothing should be waited for while stopping.
    """

    plan: LaunchPlan
    say: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)
    _cluster: subprocess.Popen[str] | None = None
    _edge: subprocess.Popen[bytes] | None = None
    _edge_config: EdgeConfig | None = None
    _certificate: CertificateWatch | None = None
    _control: ControlProcess | None = None
    _messages: Queue[dict[str, str]] = field(default_factory=Queue)

    @property
    def log_dir(self) -> Path:
        """Where the logs of this run are."""
        return self.plan.run_dir / "logs"

    def start(self) -> None:
        """Start everything; applications run when this returns, or `stopping` is set.

        Raises:
            LaunchError: the port is taken, or something does not start.
        """
        plan = self.plan
        check_port(plan.port)
        if plan.grpc_port is not None:
            check_port(plan.grpc_port, "--grpc-port")
        if plan.tls_files is not None:
            check_port(plan.tls_port, "--tls-port")
        adopt_orphans()
        serve_port, ports = choose_ports(seed=plan.port + os.getpid())
        serve_grpc_port = None if plan.grpc_port is None else ports.grpc
        if plan.proxy == "python":
            serve_port, serve_grpc_port = plan.port, plan.grpc_port
        args = {**plan.args, "log_dir": str(self.log_dir)}
        guard = "require_keys" if plan.require_keys else "grpc_from_this_machine"
        args["ingress"] = {**args.get("ingress", {}), guard: True}
        config = with_overrides(
            plan.serve_config,
            http={"host": "127.0.0.1", "port": serve_port},
            args=args,
            default_args={"grow_on_idle_cores": True},
            grpc_port=serve_grpc_port,
        )
        namespace = f"sightline-{plan.port}"
        options = ClusterOptions(
            serve_config=config,
            ray_dir=plan.run_dir / "ray",
            metrics_port=ports.metrics,
            redis=(plan.gcs.redis_host, plan.gcs.redis_port, namespace) if plan.gcs.backend == "redis" else None,
            parent=os.getpid(),
        )
        write_targets(plan.targets_path, server=f"localhost:{plan.port}", ports=[ports.metrics])
        environment = cluster_environment(plan.proxy, ports=ports, run_dir=plan.run_dir / "h", local=True)
        environment[DATABASE_VARIABLE] = plan.database_url
        environment |= gcs_environment(plan.gcs, folder=plan.run_dir / "gcs", namespace=namespace)
        if plan.proxy == "haproxy":
            self._start_edge(serve_port, ports)
        self._start_cluster(options, process_environment() | environment)
        self._await_applications(process_environment() | environment)

    def _start_edge(self, serve_port: int, ports: ServePorts) -> None:
        applications = application_paths(self.plan.serve_config)
        self._edge_config = config = EdgeConfig(
            port=self.plan.port,
            serve_port=serve_port,
            applications=applications,
            address=self.plan.host,
            ipv6=has_ipv6_loopback(),
            grpc_port=self.plan.grpc_port,
            serve_grpc_port=ports.grpc,
            control_port=ports.control,
            domain=self.plan.domain,
            trusted_proxies=self.plan.trusted_proxies,
            tls_port=None if self.plan.tls_files is None else self.plan.tls_port,
        )
        directory = self.plan.run_dir / "edge"
        if self.plan.tls_files is not None:
            from deployments.edge.certificate_watch import CertificateWatch

            self._certificate = CertificateWatch(self.plan.tls_files, directory, self.plan.domain, self.say)
        self._edge = start_edge(config, directory, partial(end_with_parent, os.getpid()))

    def _start_cluster(self, options: ClusterOptions, environment: dict[str, str]) -> None:
        with (self.log_dir / "cluster.log").open("w") as log:
            self._cluster = subprocess.Popen(
                [sys.executable, "-m", "deployments.cli.cluster_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C in the terminal reaches the launcher alone
            )
        assert self._cluster.stdin  # a pipe was asked for
        self._cluster.stdin.write(options.model_dump_json())
        self._cluster.stdin.close()
        threading.Thread(target=self._read_messages, args=(self._cluster,), daemon=True).start()

    def _read_messages(self, cluster: subprocess.Popen[str]) -> None:
        assert cluster.stdout  # a pipe was asked for
        for line in cluster.stdout:
            if line.startswith('{"stage"'):
                self._messages.put(json.loads(line))

    def _await_applications(self, environment: dict[str, str]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self.stopping.is_set():
            try:
                message = self._messages.get(timeout=0.1)
            except Empty:
                if not self.stopping.is_set():
                    self.check()
                if time.monotonic() > deadline_s:
                    raise LaunchError(
                        f"nothing ran after {START_TIMEOUT_S:g} s; the logs are in {self.log_dir}"
                    ) from None
                continue
            if message["stage"] == "failed":
                raise LaunchError(message["text"])
            if message["stage"] == "running":
                return
            if message["stage"] == "address":
                self._start_control(message["text"], environment)
                continue
            self.say(message["text"])

    def _start_control(self, ray_address: str, environment: dict[str, str]) -> None:
        config = self._edge_config
        if config is None or config.control_port is None:
            return  # without an edge nothing would lead to an endpoint
        options = ControlOptions(
            port=config.control_port,
            ray_address=ray_address,
            database_url=self.plan.database_url,
            require_keys=self.plan.require_keys,
            edge=config,
            edge_dir=self.plan.run_dir / "edge",
            log_root=self.log_dir / "endpoints",
            machine_types=self.plan.machine_types,
        )
        self._control = ControlProcess(options.model_dump_json(), environment, self.log_dir / "control.log")
        self._control.keep_running()

    def check(self) -> None:
        """Notice when a part ended by itself; the control plane is started anew, without it all endpoints go on.

        Raises:
            LaunchError: one did.
        """
        if self._control is not None:
            self._control.keep_running()
        if self._certificate is not None and self._edge is not None:
            self._certificate.check()
        for name, process in (("the cluster", self._cluster), ("the edge", self._edge)):
            if process is not None and process.poll() is not None and self._messages.empty():
                raise LaunchError(f"{name} ended by itself (exit status {process.returncode}); {self._last_words()}")

    def _last_words(self) -> str:
        log = self.log_dir / "cluster.log"
        lines = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        return "\n".join([f"its last words, from {log}:", *lines])

    def stop(self) -> None:
        """End everything below this process, within 10 s; at once when `hurry` is set.

        Requests under way get a moment to finish: the edge stops listening first, and ends with its last connection.
        """
        if self._edge is not None:
            self._edge.send_signal(signal.SIGUSR1)
            deadline_s = time.monotonic() + DRAIN_S
            while self._edge.poll() is None and time.monotonic() < deadline_s and not self.hurry.wait(0.05):
                pass
        left = stop_descendants(os.getpid(), patience_s=TERM_S, hurry=self.hurry)
        if left:
            raise LaunchError(f"processes {left} do not end")


def check_port(port: int, option: str = "--port") -> None:
    """Refuse a port that another server has.

    Raises:
        LaunchError: it is taken.
    """
    if not is_free(port):
        raise LaunchError(f"port {port} is taken; stop the server that has it, or choose another one with {option}")


def make_run_dir(port: int) -> Path:
    """A fresh folder for the server on a port; it stays after the end, for its logs, until the next start there.

    Raises:
        LaunchError: somebody else owns a folder of this name.
    """
    base = RUN_ROOT / f"sightline-{os.getuid()}-{port}"
    base.mkdir(mode=0o700, exist_ok=True)
    if base.is_symlink() or base.stat().st_uid != os.getuid():
        raise LaunchError(f"{base} belongs to somebody else; remove it, or choose another port with --port")
    for left_over in base.iterdir():
        _remove_tree(left_over)
    (base / "logs").mkdir()
    return base


def _remove_tree(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
