"""`sightline endpoint`: endpoints of a running server, made, changed and looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from deployments.cli.control_client import EXAMPLE_URL, EXIT_NOT_READY, ControlClient, ControlRefusedError, Endpoint
from deployments.cli.tables import table_lines

app = typer.Typer(
    no_args_is_help=True,
    help="Create endpoints with replicas and a host of their own. Exit status: 0 done, 1 refused, 2 wrong command, "
    "3 no such endpoint, 4 key not accepted, 5 name taken, 6 failed, taken back or not so in time, 7 no server.",
)

DEFAULT_WAIT_S = 600.0
FOLLOW_EVERY_S = 2.0
FOLLOWED_AT_ONCE = 300
COLUMNS = ("host", "status", "machine_type", "num_replicas", "min_replicas", "max_replicas", "expires_at")

Name = Annotated[str, typer.Argument(help="Name of the endpoint.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Pinned = Annotated[list[str] | None, typer.Option(help="Model that is loaded from the start; several times too.")]
Waits = Annotated[bool, typer.Option("--wait", help="Return when it is so.")]
Timeout = Annotated[float, typer.Option(help="Seconds that --wait waits.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    url: str
    api_key: str | None


@app.callback()
def choose_server(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="SIGHTLINE_URL", help="The server, without a subdomain.")] = EXAMPLE_URL,
    api_key: Annotated[
        str | None, typer.Option(envvar="SIGHTLINE_API_KEY", help="A key of the workspace, where keys are required.")
    ] = None,
) -> None:
    """Which server the commands speak to."""
    context.obj = _Server(url=url, api_key=api_key)


@contextmanager
def _control(context: typer.Context) -> Iterator[ControlClient]:
    server: _Server = context.obj
    try:
        yield ControlClient(server.url, server.api_key)
    except ControlRefusedError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(error.status) from error


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="5 to 15 of a-z, 0-9 and -; its host is <name>.<domain>.")],
    machine_type: Annotated[str, typer.Option("--machine-type", "-m", help="What its replicas run on.")] = "dev-cpu",
    min_replicas: Annotated[int, typer.Option(min=1, help="Replicas at least.")] = 1,
    max_replicas: Annotated[int | None, typer.Option(min=1, help="Replicas to which it may grow.")] = None,
    duration: Annotated[float, typer.Option(help="Hours until one for experiments expires.")] = 3.0,
    keep: Annotated[bool, typer.Option("--keep", help="Pause rather than delete it when it expires.")] = False,
    text_reader: Annotated[str | None, typer.Option(help="Model that reads for blocks which name none.")] = None,
    pin: Pinned = None,
    host: Annotated[list[str] | None, typer.Option(help="Another host that leads to it; several times too.")] = None,
    wait: Waits = False,
    timeout: Timeout = DEFAULT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Create an endpoint."""
    with _control(context) as control:
        made = control.tell(
            "add",
            name,
            machine_type=machine_type,
            min_replicas=min_replicas,
            max_replicas=max_replicas,
            duration=duration,
            delete_on_expiration=not keep,
            config={"text_reader_model": text_reader, "pinned_models": pin or []},
            custom_domains=host or [],
        )
        _show(control.wait(name, _is("ready"), "ready", timeout) if wait else made, as_json)


@app.command()
def get(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show an endpoint."""
    with _control(context) as control:
        _show(control.ask("get", deployment_name=name), as_json)


@app.command("list")
def list_endpoints(
    context: typer.Context,
    expired: Annotated[bool, typer.Option("--expired", help="Those whose time is over, too.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the endpoints of the workspace."""
    with _control(context) as control:
        found = control.ask("list", show_expired=str(expired).lower(), show_deleted=str(deleted).lower())
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        hosts = ({**endpoint, "host": _host(endpoint)} for endpoint in found["deployments"])
        _table(list(hosts), COLUMNS)


@app.command()
def pause(
    context: typer.Context, name: Name, wait: Waits = False, timeout: Timeout = DEFAULT_WAIT_S, as_json: AsJson = False
) -> None:
    """Have an endpoint take no resources; it stays as it is set up."""
    with _control(context) as control:
        told = control.tell("pause", name)
        _show(control.wait(name, _is("paused"), "paused", timeout) if wait else told, as_json)


@app.command()
def resume(
    context: typer.Context, name: Name, wait: Waits = False, timeout: Timeout = DEFAULT_WAIT_S, as_json: AsJson = False
) -> None:
    """Run an endpoint again that was paused, has expired or failed."""
    with _control(context) as control:
        told = control.tell("resume", name)
        _show(control.wait(name, _is("ready"), "ready", timeout) if wait else told, as_json)


@app.command()
def resize(
    context: typer.Context,
    name: Name,
    min_replicas: Annotated[int, typer.Option(min=1, help="Replicas at least.")],
    max_replicas: Annotated[int, typer.Option(min=1, help="Replicas to which it may grow.")],
    wait: Waits = False,
    timeout: Timeout = DEFAULT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Give an endpoint other numbers of replicas; those that run on are not touched."""

    def has_them(endpoint: Endpoint) -> bool:
        runs = endpoint["status"] in ("pending", "ready")
        return bool(not runs or min_replicas <= endpoint["num_replicas"] <= max_replicas)

    with _control(context) as control:
        told = control.tell("resize", name, min_replicas=min_replicas, max_replicas=max_replicas)
        _show(control.wait(name, has_them, "of that size", timeout) if wait else told, as_json)


@app.command()
def update(
    context: typer.Context,
    name: Name,
    text_reader: Annotated[str | None, typer.Option(help="Model that reads for blocks which name none.")] = None,
    pin: Pinned = None,
    wait: Waits = False,
    timeout: Timeout = DEFAULT_WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Have an endpoint serve something else; what it serves now answers until that is ready, and if it never is.

    It is a whole new configuration: what is not given goes back to its default.
    """
    with _control(context) as control:
        told = control.tell("update", name, config={"text_reader_model": text_reader, "pinned_models": pin or []})
        _show(control.wait(name, _has_changed, "changed", timeout) if wait else told, as_json)


@app.command()
def delete(
    context: typer.Context, name: Name, wait: Waits = False, timeout: Timeout = DEFAULT_WAIT_S, as_json: AsJson = False
) -> None:
    """Remove an endpoint."""
    with _control(context) as control:
        told = control.tell("delete", name)
        if wait:
            control.wait_until_gone(name, timeout)
        _show(told, as_json)


@app.command()
def logs(
    context: typer.Context,
    name: Name,
    since: Annotated[float, typer.Option(help="Seconds back from now.")] = 3600.0,
    tail: Annotated[int, typer.Option("--tail", "-n", min=1, max=1000, help="Most lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print what an endpoint's replicas wrote, and what became of it; oldest first."""
    first = datetime.now(UTC) - timedelta(seconds=since)
    seen: set[str] = set()
    with _control(context) as control:
        while True:
            entries = control.ask("get_log", deployment_name=name, from_timestamp=first.isoformat(), max_entries=tail)
            for entry in reversed(entries):
                if entry["insert_id"] not in seen:
                    seen.add(entry["insert_id"])
                    typer.echo(json.dumps(entry) if as_json else f"[{entry['timestamp']}] {entry['payload']}")
            if not follow:
                return
            if entries:
                first = datetime.fromisoformat(entries[0]["timestamp"])
                seen &= {entry["insert_id"] for entry in entries}
            tail = FOLLOWED_AT_ONCE
            time.sleep(FOLLOW_EVERY_S)


@app.command()
def usage(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of an endpoint; all of the workspace when absent.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Begin, such as 2026-01-31T12:00:00Z.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="End; now when absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how long replicas ran; in the last 24 hours when no time is given."""
    call = "usage_workspace" if name is None else "usage_deployment"
    with _control(context) as control:
        used = control.ask(call, deployment_name=name, from_timestamp=first, to_timestamp=last)
        if as_json:
            typer.echo(json.dumps(used, indent=2))
            return
        _table(used["deployments"], ("deployment_name", "machine_type", "seconds", "hours"))


@app.command("machine-types")
def machine_types(context: typer.Context, as_json: AsJson = False) -> None:
    """List what replicas can run on."""
    with _control(context) as control:
        found = control.ask("machine_types")
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        _table(found["machine_types"], ("name", "num_cpus", "num_gpus", "accelerator_type", "description"))


def _is(status: str) -> Callable[[Endpoint], bool]:
    return lambda endpoint: bool(endpoint["status"] == status)


def _has_changed(endpoint: Endpoint) -> bool:
    if endpoint["rollout"] == "taken back":
        raise ControlRefusedError(f"{endpoint['deployment_name']}: {endpoint['status_reason']}", EXIT_NOT_READY)
    return bool(endpoint["rollout"] == "done")


def _show(endpoint: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(endpoint, indent=2))
        return
    count = endpoint["num_replicas"]
    typer.echo(f"{_host(endpoint)}  {endpoint['status']}  {count} replica{'' if count == 1 else 's'}")
    if endpoint["status_reason"]:
        typer.echo(f"  {endpoint['status_reason']}")


def _host(endpoint: Mapping[str, Any]) -> str:
    return f"{endpoint['subdomain']}.{endpoint['domain']}"


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    head = [column.removeprefix("deployment_") for column in columns]
    cells = (["-" if row[column] is None else str(row[column]) for column in columns] for row in rows)
    typer.echo("\n".join(table_lines(head, cells)))
