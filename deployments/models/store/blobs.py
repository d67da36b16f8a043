"""Files by their content: each is kept once, under its SHA-256, however many packages have it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from deployments.models.package_layouts.manifest import StoredFile

READ_ONLY = 0o444


class Blobs:
    """A folder of files named by their checksums.

    Packages have hard links to them: whoever removes a blob takes nothing from a package. They are read-only, because a
    change through one name would be seen through all.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, path: Path) -> StoredFile:
        """Have the content of a file kept; the file becomes one of its names."""
        stored = described(path)
        blob = self._path(stored.sha256)
        path.chmod(READ_ONLY)
        blob.parent.mkdir(parents=True, exist_ok=True)
        if blob.is_file() and described(blob) == stored:
            path.unlink()
            link_or_copy(blob, path)
            return stored
        beside = blob.with_name(f"{blob.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        link_or_copy(path, beside)
        beside.replace(blob)
        return stored

    def take(self, stored: StoredFile, target: Path) -> bool:
        """Give a content another name; False when it is not here, or is damaged and therefore thrown away."""
        blob = self._path(stored.sha256)
        if not blob.is_file():
            return False
        if described(blob) != stored:
            blob.unlink(missing_ok=True)
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(blob, target)
        return True

    def collect(self, in_use: Collection[str]) -> int:
        """Throw away what no package has; gives the bytes that this freed."""
        freed = 0
        for blob in self._directory.glob("*/*"):
            if blob.name not in in_use:
                freed += blob.stat().st_size
                blob.unlink(missing_ok=True)
        return freed

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256


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
