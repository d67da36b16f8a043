"""Reading single files of a package, with errors that name the file and what is wrong in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deployments.models.errors import ModelPackageError

Schema = TypeVar("Schema", bound=BaseModel)

MOST_TEXT_BYTES = 16 * 1024 * 1024


def read_text(path: Path) -> str:
    """The file's text.

    Raises:
        ModelPackageError: no such file, no UTF-8, or far too large to be configuration.
    """
    try:
        if path.stat().st_size > MOST_TEXT_BYTES:
            raise ModelPackageError(
                f"{path.name} has {path.stat().st_size} bytes; configuration has at most {MOST_TEXT_BYTES}", str(path)
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelPackageError(f"{path.name} cannot be read: {error.strerror}", str(path)) from error
    except UnicodeDecodeError as error:
        raise ModelPackageError(f"{path.name} is no UTF-8 text (byte {error.start})", str(path)) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in the file.

    Raises:
        ModelPackageError: as `read_text`, or the text is no JSON object.
    """
    return parse_json_object(read_text(path), path, path.name)


def parse_json_object(text: str, path: Path, place: str) -> dict[str, Any]:
    """The JSON object in a text that stands at `place`.

    Raises:
        ModelPackageError: the text is no JSON object.
    """
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ModelPackageError(f"{place} is not valid JSON: {error}", str(path)) from error
    if not isinstance(value, dict):
        raise ModelPackageError(f"{place} must be a JSON object, not {type(value).__name__}", str(path))
    return value


def check_schema(schema: type[Schema], value: object, path: Path, place: str) -> Schema:
    """`value` as a `schema`.

    Raises:
        ModelPackageError: names each key that is wrong and why.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'value'}: {item['msg']}" for item in error.errors()
        )
        raise ModelPackageError(f"{place}: {wrong}", str(path)) from error


def read_class_names(directory: Path) -> tuple[str, ...] | None:
    """The classes in `class_names.txt`, one a line in the order of their ids; None when there is no such file.

    Blank lines behind the last name do not count.

    Raises:
        ModelPackageError: as `read_text`, or a blank line between names, which would shift the ids behind it.
    """
    path = directory / "class_names.txt"
    if not path.is_file():
        return None
    names = [line.strip() for line in read_text(path).splitlines()]
    while names and not names[-1]:
        names.pop()
    if "" in names:
        raise ModelPackageError(
            f"{path.name} line {names.index('') + 1} is blank; every line before the last must name one class",
            str(path),
        )
    return tuple(names)
