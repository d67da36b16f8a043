"""Files by their content: each is kept once, under its SHA-256, however many packages have it."""

from __future__ import annotations

import hashlib
import shutil
import time
import uuid
from collections.abc import Collection
from pathlib import Path

from deployments.models.package_layouts.manifest import StoredFile

READ_ONLY = 0o444
LEFT_OVER_S = 3600.0
"""Age from which a half-made blob belongs to no process any more: making one is a link, or one copy."""


class Blobs:
    """A folder of files named by their checksums, shared by any number of processes without a lock.

    Packages have hard links to them: whoever removes a blob takes nothing from a package. So each may vanish at any
    moment, and is then not here. They are read-only, because a change through one name would be seen through all.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, path: Path) -> StoredFile:
        """Have the content of a file kept; the file becomes one of its names."""
        stored = described(path)
        blob = self._path(stored.sha256)
        path.chmod(READ_ONLY)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if _holds(blob, stored):
            beside = _half_made(path)
            try:
                link_or_copy(blob, beside)
            except FileNotFoundError:  # another process has just thrown it away
                pass
            else:
                beside.replace(path)
                return stored
        beside = _half_made(blob)
        link_or_copy(path, beside)
        beside.replace(blob)
        return stored

    def take(self, stored: StoredFile, target: Path) -> bool:
        """Give a content another name; False when it is not here, or is damaged and therefore thrown away."""
        blob = self._path(stored.sha256)
        if not _holds(blob, stored):
            blob.unlink(missing_ok=True)
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            link_or_copy(blob, target)
        except FileNotFoundError:  # another process has just thrown it away
            return False
        return True

    def collect(self, in_use: Collection[str]) -> int:
        """Throw away what no package has; gives the bytes that this freed."""
        freed = 0
        for blob in self._directory.glob("*/*"):
            if blob.name in in_use:
                continue
            try:
                status = blob.stat()
                if _is_half_made(blob) and time.time() - status.st_ctime < LEFT_OVER_S:
                    continue  # another process is at it
                blob.unlink()
            except FileNotFoundError:  # another process was faster
                continue
            freed += status.st_size
        return freed

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256


def _half_made(path: Path) -> Path:
    """A name beside a file that nobody else uses, for what is to take its place."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}")


def _is_half_made(blob: Path) -> bool:
    return bool(blob.suffix)


def _holds(blob: Path, stored: StoredFile) -> bool:
    """Whether a blob is here and whole."""
    try:
        return described(blob) == stored
    except FileNotFoundError:
        return False


def described(path: Path) -> StoredFile:
    """Checksum and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return StoredFile(sha256=digest, size_bytes=path.stat().st_size)


def link_or_copy(source: Path, target: Path) -> None:
    """Another name for a file; a copy where the file system has no hard links."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(READ_ONLY)
