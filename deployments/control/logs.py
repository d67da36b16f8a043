"""The log of an endpoint: what its replicas wrote, and what became of it, as one list."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployments.storage.events import Event

TAIL_BYTES = 1024 * 1024
"""Of each file: the newest lines are at its end."""

MAX_ENTRIES = 1000
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([A-Z]+) ")


def log_entries(
    directory: Path | None, name: str, events: list[Event], *, from_unix_s: float, to_unix_s: float, limit: int
) -> list[dict[str, Any]]:
    """Lines and events between two times, newest first.

    Args:
        directory: below which revisions of endpoints have folders; None for events alone.
        name: subdomain of the endpoint.
        events: of the endpoint.
        from_unix_s: the earliest.
        to_unix_s: the latest.
        limit: most of them.
    """
    entries = [_entry(event.at_unix_s, f"event-{event.event_id}", event.severity, event.text) for event in events]
    if directory is not None:
        for folder in directory.glob(f"{name}.r*"):
            for path in folder.glob("*.log"):
                entries += _lines(path)
    chosen = [entry for entry in entries if from_unix_s <= entry["unix_s"] <= to_unix_s]
    chosen.sort(key=lambda entry: (entry["unix_s"], entry["insert_id"]), reverse=True)
    return [{key: value for key, value in entry.items() if key != "unix_s"} for entry in chosen[:limit]]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Each line that begins with a time, those without belong to the one before."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            if file.tell():
                file.readline()  # begins in the middle
            offset = file.tell()
            data = file.read()
    except OSError:
        return
    pending: dict[str, Any] | None = None
    for raw in data.split(b"\n"):
        line = raw.decode(errors="replace")
        match = _STAMP.match(line)
        if match:
            if pending is not None:
                yield pending
            at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC)
            insert_id = hashlib.sha256(f"{path.parent.name}/{path.name}:{offset}".encode()).hexdigest()[:16]
            pending = _entry(at.timestamp(), insert_id, match[2], line)
        elif pending is not None and line:
            pending["payload"] += f"\n{line}"
        offset += len(raw) + 1
    if pending is not None:
        yield pending


def _entry(unix_s: float, insert_id: str, severity: str, payload: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(unix_s, UTC).isoformat()
    return {"unix_s": unix_s, "timestamp": at, "insert_id": insert_id, "severity": severity, "payload": payload}
