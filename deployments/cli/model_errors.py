"""How `sightline models` says what is wrong: in words, as JSON, and by its exit status."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from deployments.errors import ServingError

EXIT_STATUSES = {
    "ModelPackageError": 3,
    "ModelLoadError": 4,
    "OtherRuntimeError": 5,
    "UnsupportedModelError": 5,
    "ModelSourceError": 6,
    "UnknownModelError": 7,
    "InvalidModelIdError": 7,
}
"""By the kind of error; 1 for any other, 2 for a command line that makes no sense. They stay what they are."""


@contextmanager
def clear_errors(*, as_json: bool) -> Iterator[None]:
    """What is wrong in one line, or one JSON object, and an exit status that says of which kind it is."""
    logging.basicConfig(format="%(message)s", level=logging.ERROR)
    try:
        yield
    except ServingError as error:
        if as_json:
            typer.echo(json.dumps({"ok": False, "error": error_row(error)}))
        else:
            say(error)
        raise typer.Exit(exit_status(error)) from error


def say(error: ServingError) -> None:
    """Print what is wrong, and of a package where it lies."""
    path = _path(error)
    where = f"{path}: " if path is not None and path not in error.message else ""
    typer.echo(f"sightline: {where}{error.message}", err=True)


def error_row(error: ServingError) -> dict[str, Any]:
    """What is wrong as JSON."""
    row = {"type": type(error).__name__, "message": error.message}
    path = _path(error)
    return row if path is None else row | {"path": path}


def exit_status(error: ServingError) -> int:
    """Of the command."""
    return EXIT_STATUSES.get(type(error).__name__, 1)


def _path(error: ServingError) -> str | None:
    """The file or folder that is wrong; None where it is none."""
    path: str | None = getattr(error, "path", None)
    return path
