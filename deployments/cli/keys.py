"""`sightline keys`: who may use the server of this machine."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployments.errors import InvalidRequestError, ServingError
from deployments.storage.api_key import ApiKey, Scope, key_id_of

if TYPE_CHECKING:
    from deployments.storage.database import Database

app = typer.Typer(
    no_args_is_help=True, help="Make, list and revoke API keys; `sightline serve --keys on` asks for them."
)

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port of the server whose keys these are.")]
Url = Annotated[
    str | None, typer.Option("--database", help="Where keys are kept; as given to `sightline serve --database`.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

EXIT_STATUSES = {"NotStoredError": 3, "StorageUnavailableError": 7}
"""By the kind of error; 1 for any other. They mean what those of `sightline endpoint` mean, and stay what they are."""

UNITS_S = {"m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d{1,6})([mhd])")


@app.command()
def create(
    workspace: Annotated[str, typer.Option(help="Whose key; the workspace is made when there is none.")] = "default",
    scope: Annotated[Scope, typer.Option(help="What it may do; each may do what those before it may.")] = Scope.INFER,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: `90d`, `12h`, `30m`, or a time such as 2027-01-31T12:00+00:00.")
    ] = None,
    label: Annotated[str, typer.Option(help="What it is for, in your own words.")] = "",
    port: Port = 9001,
    database: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and print it: it is shown this once."""
    with clear_errors(), opened(database, port) as keys, keys.writing() as session:
        from deployments.storage.keys import create_key

        now_unix_s = time.time()
        ends = None if expires is None else _end_of(expires, now_unix_s)
        key, known = create_key(session, workspace, scope, now_unix_s=now_unix_s, expires_unix_s=ends, label=label)
        session.commit()  # printed is only what is kept
        if as_json:
            typer.echo(json.dumps({"key": key} | _row(known)))
            return
        ending = "" if ends is None else f", until {_time(ends)}"
        typer.echo(f"key {known.key_id} of the workspace {workspace} for {scope}{ending}; shown this once:", err=True)
        typer.echo(key)


@app.command(name="list")
def list_all(
    workspace: Annotated[str | None, typer.Option(help="Whose keys; everybody's when not given.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Revoked and expired ones too.")] = False,
    port: Port = 9001,
    database: Url = None,
    as_json: AsJson = False,
) -> None:
    """List keys by their ids; nobody can read the keys themselves again."""
    with clear_errors(), opened(database, port) as keys, keys.reading() as session:
        from deployments.storage.keys import list_keys

        rows = [_row(known) for known in list_keys(session, workspace) if every or known.is_live(time.time())]
        if as_json:
            typer.echo(json.dumps({"keys": rows}))
            return
        for row in rows:
            told = "  ".join(str(row[name]) for name in ("key_id", "workspace", "scope", "status"))
            used = "never used" if row["last_used"] is None else f"last used about {row['last_used']}"
            typer.echo("  ".join(filter(None, (told, used, row["label"]))))


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="An id as `list` prints it, or the key itself.")],
    port: Port = 9001,
    database: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take a key back for good; within 5 seconds it is good for nothing."""
    with clear_errors(), opened(database, port) as keys, keys.writing() as session:
        from deployments.storage.keys import revoke_key

        known = revoke_key(session, key_id_of(key_id) or key_id, now_unix_s=time.time())
        session.commit()
        if as_json:
            typer.echo(json.dumps(_row(known)))
        else:
            typer.echo(f"revoked {known.key_id} of the workspace {known.workspace}", err=True)


def _row(known: ApiKey) -> dict[str, Any]:
    status = "live" if known.is_live(time.time()) else "revoked" if known.revoked_unix_s is not None else "expired"
    return {
        "key_id": known.key_id,
        "workspace": known.workspace,
        "scope": str(known.scope),
        "label": known.label,
        "status": status,
        "created": _time(known.created_unix_s),
        "expires": _time(known.expires_unix_s),
        "revoked": _time(known.revoked_unix_s),
        "last_used": _time(known.last_used_unix_s),
    }


def _time(unix_s: float | None) -> str | None:
    return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")


def _end_of(text: str, now_unix_s: float) -> float:
    if span := _SPAN.fullmatch(text):
        return now_unix_s + int(span[1]) * UNITS_S[span[2]]
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError:
        raise InvalidRequestError(
            f"--expires: {text[:80]!r} is no time; give 90d, 12h, 30m or a time such as 2027-01-31T12:00+00:00"
        ) from None


@contextmanager
def opened(given: str | None, port: int) -> Iterator[Database]:
    """The database of the server on a port, or the one that is given."""
    # SQLAlchemy takes a moment to load: `sightline` knows these commands without it.
    from deployments.cli.key_database import database_url_of, opened_database

    with opened_database(database_url_of(port, given)) as database:
        yield database


@contextmanager
def clear_errors() -> Iterator[None]:
    """What is wrong in one line, and an exit status that says of which kind it is."""
    try:
        yield
    except ServingError as error:
        typer.echo(f"sightline: {error.message}", err=True)
        raise typer.Exit(EXIT_STATUSES.get(type(error).__name__, 1)) from error
