"""Options of the command that are looked at before anything starts; what is wrong with one is a usage error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import typer

from load_tests.http_connection import encode_request


def checked_url(url: str) -> str:
    """The address of a server that can be asked, without a slash behind it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise typer.BadParameter(f"{url!r}: {error}; write http://host:port", param_hint="--url") from error
    if parts.scheme != "http" or not parts.hostname or port == 0:
        raise typer.BadParameter(f"{url!r} is no address that can be asked; write http://host:port", param_hint="--url")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise typer.BadParameter(f"{url!r} must end behind the port: http://host:port", param_hint="--url")
    return url.rstrip("/")


def checked_headers(headers: Sequence[str], url: str) -> tuple[tuple[str, str], ...]:
    """Names and values of headers that can be sent; a message holds no value, which may be a key."""
    named = []
    for each in headers:
        name, colon, value = (part.strip() for part in each.partition(":"))
        try:
            encode_request(url, "GET", "/", {name: value})
        except ValueError as error:
            raise typer.BadParameter(f"{name!r} cannot be sent: it has other letters", param_hint="--header") from error
        if not (name and colon) or " " in name:
            raise typer.BadParameter("write `Name: value`", param_hint="--header")
        named.append((name, value))
    return tuple(named)


def checked_pid(pid: int) -> int:
    """A process that runs here."""
    if not psutil.pid_exists(pid):
        raise typer.BadParameter(f"no process {pid} runs on this machine", param_hint="--pid")
    return pid


def checked_out(path: Path, *, page_beside: bool = True) -> Path:
    """A file that can be written, once the folders that it lacks are made.

    Args:
        path: the file.
        page_beside: whether a page of the same name, with `.html`, is written too.
    """
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file in it", param_hint="--out")
    if page_beside and path.suffix == ".html":
        raise typer.BadParameter(f"{path.name} is where the page goes; write {path.stem}.json", param_hint="--out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("ab"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--out") from error
    return path
