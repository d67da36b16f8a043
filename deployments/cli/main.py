"""The `sightline` command."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deployments.cli.application_args import application_args
from deployments.cli.capacity import capacity
from deployments.cli.control import control
from deployments.cli.endpoints import app as endpoints_app
from deployments.cli.first_request import first_answer, write_request
from deployments.cli.gcs_storage import read_gcs_storage
from deployments.cli.k8s import app as k8s_app
from deployments.cli.keys import app as keys_app
from deployments.cli.launcher import DEFAULT_TLS_PORT, LaunchPlan, LocalCluster, check_port, make_run_dir
from deployments.cli.models import app as models_app
from deployments.cli.models_compile import compile_model
from deployments.cli.ray_environment import Proxy, cluster_environment
from deployments.cli.serve_config import default_config_path, read_serve_config
from deployments.cli.stop_signals import stop_on_signals
from deployments.cli.versions import server_version
from deployments.cli.workflows import app as workflows_app
from deployments.control.machine_types import read_machine_types
from deployments.control.serve_application import asks_for_keys
from deployments.edge.config import LOOPBACK, TlsFiles
from deployments.errors import ServingError

PROXIES = ("haproxy", "python")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Serve vision workflows from a Ray Serve cluster.")
app.add_typer(models_app, name="models")
app.add_typer(endpoints_app, name="endpoint")
app.add_typer(k8s_app, name="k8s")
app.add_typer(keys_app, name="keys")
app.add_typer(workflows_app, name="workflows")
models_app.command(name="compile")(compile_model)
app.command()(capacity)
app.command()(control)


def main() -> None:
    """Entry point of the console script."""
    app()


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(server_version())


@app.command()
def environment(
    proxy: Annotated[str, typer.Option(help="`haproxy` or `python`.")] = "haproxy",
    export: Annotated[bool, typer.Option("--export", help="Print lines that a shell can evaluate.")] = False,
) -> None:
    """Print the environment that every process of a cluster must have, for images and manifests."""
    for name, value in sorted(cluster_environment(_proxy(proxy)).items()):
        typer.echo(f"{'export ' if export else ''}{name}={value}")


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")] = 9001,
    grpc_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port for the Open Inference Protocol over gRPC.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(help="Folder of model packages beside the shipped and added ones, or a URL; several times too."),
    ] = None,
    workflows: Annotated[Path | None, typer.Option(help="Folder of saved workflow definitions.")] = None,
    text_reader: Annotated[
        str | None, typer.Option(help="Model that reads for blocks which name none, such as `pp_ocr/default`.")
    ] = None,
    proxy: Annotated[str, typer.Option(help="`haproxy`, or `python` where HAProxy does not run.")] = "haproxy",
    domain: Annotated[str, typer.Option(help="Endpoints answer at `<name>.<domain>`.")] = "localhost",
    database: Annotated[
        str | None, typer.Option(help="Where endpoints are kept: `sqlite:////path/file.db`, `postgresql://...`.")
    ] = None,
    machine_types: Annotated[Path | None, typer.Option(help="YAML file of machine types for endpoints.")] = None,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="Address or network whose `X-Forwarded-*` is believed; several times too.")
    ] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(
            help="PEM of a certificate for `*.<domain>` and those that signed it; read again when it changes."
        ),
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
    tls_port: Annotated[int, typer.Option(min=1, max=65535, help="Port for HTTPS.")] = DEFAULT_TLS_PORT,
    keys: Annotated[str, typer.Option(help="`on` asks every request for an API key; `off` asks none.")] = "off",
    host: Annotated[str, typer.Option(help="Address to listen on; another one than loopback needs `--keys on`.")] = (
        LOOPBACK
    ),
    gcs: Annotated[
        str,
        typer.Option(help="Where Ray keeps the state of the cluster: `none`, `rocksdb` or `redis://host:port`."),
    ] = "none",
    config: Annotated[Path | None, typer.Option(help="Serve configuration; serve_config.yaml when not given.")] = None,
    emulated_accelerators: Annotated[
        bool, typer.Option("--emulated-accelerators", help="Serve models that only pretend to compute, to measure.")
    ] = False,
) -> None:
    """Start a cluster on this machine; Ctrl-C stops it."""
    from deployments.cli.key_database import database_url_of  # SQLAlchemy: only for those who serve

    started_s = time.monotonic()

    def say(text: str) -> None:
        typer.echo(f"[{time.monotonic() - started_s:5.1f} s] {text}")

    try:
        serve_config = read_serve_config(config or default_config_path())
        require_keys = _asks_for_keys(keys, host, _proxy(proxy), serve_config)
        check_port(port)
        if grpc_port is not None:
            check_port(grpc_port, "--grpc-port")
        tls_files = _tls_files(tls_certificate, tls_key, _proxy(proxy))
        read_machine_types(machine_types)  # says what is wrong with it before anything starts
        gcs_storage = read_gcs_storage(gcs)
        gcs_storage.check()
        plan = LaunchPlan(
            port=port,
            grpc_port=grpc_port,
            gcs=gcs_storage,
            proxy=_proxy(proxy),
            serve_config=serve_config,
            args=application_args(models or [], workflows, text_reader, emulated_accelerators=emulated_accelerators),
            run_dir=make_run_dir(port),
            domain=domain,
            database_url=database_url_of(port, database),
            host=host,
            require_keys=require_keys,
            machine_types=machine_types,
            trusted_proxies=tuple(trusted_proxy or ()),
            tls_files=tls_files,
            tls_port=tls_port,
        )
        _run(LocalCluster(plan=plan, say=say), say)
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(1) from error


def _asks_for_keys(keys: str, host: str, proxy: Proxy, serve_config: dict[str, Any]) -> bool:
    """Whether requests need keys; where the configuration asks for them, all of the server does.

    Raises:
        ServingError: the server would be open to others.
    """
    if keys not in ("on", "off"):
        raise typer.BadParameter(f"{keys!r} is neither on nor off", param_hint="--keys")
    try:
        address = ip_address(host)
    except ValueError:
        raise typer.BadParameter(f"{host!r} is no IP address; 0.0.0.0 is all of them", param_hint="--host") from None
    wanted = keys == "on" or any(map(asks_for_keys, serve_config["applications"]))
    if not address.is_loopback and not wanted:
        raise ServingError(
            f"on {host} others could reach this server, and no key is asked for; add --keys on (KEYS=on with make)"
        )
    if host != LOOPBACK and proxy != "haproxy":
        raise ServingError("the Python proxy listens on loopback alone; leave --host or --proxy out")
    return wanted


def _tls_files(certificate: Path | None, key: Path | None, proxy: Proxy) -> TlsFiles | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise typer.BadParameter("certificate and key are given together", param_hint="--tls-certificate, --tls-key")
    if proxy != "haproxy":
        raise typer.BadParameter("TLS is spoken by HAProxy alone", param_hint="--proxy")
    from deployments.edge.certificate import read_certificate  # cryptography: only for those who speak TLS

    files = TlsFiles(certificate=certificate, key=key)
    read_certificate(files)  # says what is wrong with it before anything starts
    return files


def _proxy(text: str) -> Proxy:
    if text not in PROXIES:
        raise typer.BadParameter(f"{text!r} is no proxy; choose haproxy or python", param_hint="--proxy")
    return cast("Proxy", text)


def _run(cluster: LocalCluster, say: Callable[[str], None]) -> None:
    stop_on_signals(cluster.stopping, cluster.hurry)
    try:
        _say_who_may_come(cluster, say)
        say(f"starting a cluster for port {cluster.plan.port}; its logs: {cluster.log_dir}")
        cluster.start()
        _greet(cluster, say)
        while not cluster.stopping.wait(1.0):
            cluster.check()
    finally:
        say("stopping")
        cluster.stopping.set()
        cluster.stop()
        say("stopped")


def _say_who_may_come(cluster: LocalCluster, say: Callable[[str], None]) -> None:
    from deployments.cli.key_database import has_live_keys

    plan = cluster.plan
    if not plan.require_keys:
        say("open: no key is asked for, and only this machine can connect; --keys on (KEYS=on with make) asks for keys")
    elif has_live_keys(plan.database_url):
        say("every request needs an API key")
    else:
        say(f"every request needs an API key, and there is none yet: sightline keys create --port {plan.port}")


def _url_here(plan: LaunchPlan) -> str:
    """Where this machine reaches the server."""
    address = ip_address(plan.host)
    if address.is_unspecified or plan.tls_files is not None:
        return f"http://127.0.0.1:{plan.port}"
    return f"http://[{address}]:{plan.port}" if address.version == 6 else f"http://{address}:{plan.port}"


def _greet(cluster: LocalCluster, say: Callable[[str], None]) -> None:
    from deployments.cli.key_database import key_for_a_while

    url = _url_here(cluster.plan)
    with key_for_a_while(cluster.plan.database_url) if cluster.plan.require_keys else nullcontext() as key:
        said = first_answer(url, cluster.stopping, cluster.check, say, key=key)
    if said is None:
        return
    request = write_request(cluster.plan.run_dir)
    typer.echo(f"ready {url} {said}")
    if cluster.plan.tls_files is not None:
        typer.echo(f"with TLS: https://{cluster.plan.domain}:{cluster.plan.tls_port}")
    bearer = ' -H "Authorization: Bearer $KEY"' if cluster.plan.require_keys else ""
    typer.echo(f"try: curl -s {url}/workflows/run{bearer} -H 'Content-Type: application/json' -d @{request}")
    typer.echo(f"for Prometheus: file_sd_configs with {cluster.plan.targets_path}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
