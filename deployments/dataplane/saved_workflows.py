"""Definitions kept in a folder: `<workspace>/<workflow>.json`, or `<workflow>.json` for the workspace `local`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from deployments.errors import WorkflowNotFoundError
from workflows.definition.nearest import suggest
from workflows.errors import WorkflowDefinitionError

LOCAL_WORKSPACE = "local"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")

Stamp = tuple[int, int, int]
"""Modification time, size and inode of a file: when they stay, so does its content."""


class SavedWorkflows:
    """Reads definitions from a folder; a changed file counts from the next request on."""

    def __init__(self, directory: Path | None, *, discreet: bool = False) -> None:
        """Nothing is read yet.

        Args:
            directory: the folder; None for no workflows.
            discreet: whether what is said of one workspace is nothing for another.
        """
        self._discreet = discreet
        self._directory = None if directory is None else directory.resolve()
        self._read: dict[Path, tuple[Stamp, dict[str, Any]]] = {}

    def get(self, workspace: str, workflow_id: str, version_id: str | None = None) -> dict[str, Any]:
        """The definition saved under a name.

        Raises:
            WorkflowNotFoundError: there is none, or a version was asked for.
            WorkflowDefinitionError: the file is no JSON object.
        """
        found = self.find(workspace, workflow_id, version_id)
        if found is None:
            raise self.not_found(workspace, workflow_id, version_id)
        return found

    def find(self, workspace: str, workflow_id: str, version_id: str | None = None) -> dict[str, Any] | None:
        """The definition saved under a name; None when there is none, as of every version that is asked for.

        Raises:
            WorkflowDefinitionError: the file is no JSON object.
        """
        path = self._path(workspace, workflow_id)
        if path is None or version_id is not None:
            return None
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path)
            if known is None or known[0] != stamp:
                known = self._read[path] = (stamp, parse_definition(path.read_bytes(), f"{workspace}/{workflow_id}"))
        except OSError:
            self._read.pop(path, None)
            return None
        return known[1]

    def not_found(self, workspace: str, workflow_id: str, version_id: str | None = None) -> WorkflowNotFoundError:
        """What to tell who asked for one that there is not, with the nearest names; looks through the folder."""
        wanted = f"{workspace}/{workflow_id}"[:200]
        if version_id is not None:
            return WorkflowNotFoundError(
                f"version {version_id[:40]!r} of {wanted} does not exist; "
                "without workflow_version_id the newest one runs"
            )
        told = [name for name in self.names() if not self._discreet or name.startswith(f"{workspace}/")]
        return WorkflowNotFoundError(f"no workflow {wanted!r}; {suggest(wanted, told, what='saved workflows')}")

    def names(self) -> list[str]:
        """`<workspace>/<workflow>` of everything that is saved, sorted."""
        if self._directory is None or not self._directory.is_dir():
            return []
        local = (f"{LOCAL_WORKSPACE}/{path.stem}" for path in self._directory.glob("*.json"))
        shared = (f"{path.parent.name}/{path.stem}" for path in self._directory.glob("*/*.json"))
        return sorted({*local, *shared})

    def _path(self, workspace: str, workflow_id: str) -> Path | None:
        if self._directory is None or not (_NAME.fullmatch(workspace) and _NAME.fullmatch(workflow_id)):
            return None
        path = self._directory / workspace / f"{workflow_id}.json"
        if workspace == LOCAL_WORKSPACE and not path.is_file():
            path = self._directory / f"{workflow_id}.json"
        path = path.resolve()  # a link may lead outside
        return path if path.is_relative_to(self._directory) else None


def parse_definition(text: bytes | str, name: str) -> dict[str, Any]:
    """A definition from its JSON, also where it stands under `specification`.

    Raises:
        WorkflowDefinitionError: it is no JSON object.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise WorkflowDefinitionError(f"the saved workflow {name} is no JSON: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("specification"), dict):
        document = document["specification"]
    if not isinstance(document, dict):
        raise WorkflowDefinitionError(f"the saved workflow {name} must be a JSON object")
    return document
