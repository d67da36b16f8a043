"""Bringing the files of a source together in a folder, fetching only those that are not here yet."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from deployments.models.errors import ModelSourceError
from deployments.models.package_layouts.manifest import StoredFile
from deployments.models.store.archives import unpack
from deployments.models.store.blobs import Blobs
from deployments.models.store.named_files import files_named_in
from deployments.models.store.sources import WEB_FILES, Source, SourceFile

GIBIBYTE = 1024**3
MOST_FILES = 2000
ARCHIVE = ".zip"


class KnownFile(BaseModel):
    """A file as its source listed it, and its content.

    Attributes:
        version: as in `SourceFile`.
        stored: what it held; None for an archive, which is not kept.
    """

    version: str
    stored: StoredFile | None


class KnownSource(BaseModel):
    """What was fetched from a source before.

    Attributes:
        listed: by name, those files that have a version.
        unpacked: by path, what the archive held, when the source is one.
    """

    listed: dict[str, KnownFile] = {}
    unpacked: dict[str, StoredFile] = {}


def stage(source: Source, folder: Path, blobs: Blobs, record: Path, most_bytes: int) -> dict[str, StoredFile]:
    """Lay the files of a source out in a folder.

    Args:
        source: where from.
        folder: an empty one, of which everything may be thrown away when this fails.
        blobs: what is here already; afterwards, what was fetched too.
        record: what is known of the source; written anew.
        most_bytes: of all files together.

    Returns:
        Every file laid out, by its path in the folder.

    Raises:
        ModelSourceError: the source cannot be read, or is too large.
    """
    known = known_source(record)
    listing = source.files(known.listed)
    _check_size(listing, source, most_bytes)
    if source.file_name is not None and source.file_name.lower().endswith(ARCHIVE):
        found = _stage_archive(source, listing[0], folder, blobs, known, most_bytes)
        seen = KnownSource(listed=_with_version({listing[0]: None}), unpacked=found)
    else:
        by_file = {file: _stage_file(source, file, folder, blobs, known, most_bytes) for file in listing}
        if source.lists_nothing:
            by_file |= _stage_named(source, listing, folder, blobs, known, most_bytes)
        found = {_name_in_folder(file, source): stored for file, stored in by_file.items()}
        seen = KnownSource(listed=_with_version(dict(by_file)))
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(seen.model_dump_json())
    return found


def _check_size(listing: tuple[SourceFile, ...], source: Source, most_bytes: int) -> None:
    size_bytes = sum(file.size_bytes or 0 for file in listing)
    if len(listing) > MOST_FILES or size_bytes > most_bytes:
        raise ModelSourceError(
            f"{source.shown} holds {len(listing)} files of {size_bytes} bytes; at most {MOST_FILES} files of "
            f"{most_bytes} bytes are taken from one source",
            source.shown,
        )


def _stage_file(
    source: Source, file: SourceFile, folder: Path, blobs: Blobs, known: KnownSource, most_bytes: int
) -> StoredFile:
    target = folder / _name_in_folder(file, source)
    before = known.listed.get(file.name)
    unchanged = before.stored if before is not None and before.version == file.version else None
    if unchanged is not None and blobs.take(unchanged, target):
        return unchanged
    target.parent.mkdir(parents=True, exist_ok=True)
    source.fetch(file, target, most_bytes)
    stored = blobs.keep(target)
    if file.sha256 is not None and stored.sha256 != file.sha256:
        raise ModelSourceError(
            f"{source.shown}: {file.name} came with sha256 {stored.sha256}, its server says {file.sha256}; try again",
            source.shown,
        )
    return stored


def _stage_named(
    source: Source, listing: tuple[SourceFile, ...], folder: Path, blobs: Blobs, known: KnownSource, most_bytes: int
) -> dict[SourceFile, StoredFile]:
    """Fetch what the files name that are here, until they name nothing new."""
    asked = {*WEB_FILES, *known.listed}
    by_file: dict[SourceFile, StoredFile] = {}
    while further := files_named_in(folder) - asked:
        asked |= further
        found = source.named_files(further)
        _check_size((*listing, *by_file, *found), source, most_bytes)
        by_file |= {file: _stage_file(source, file, folder, blobs, known, most_bytes) for file in found}
    return by_file


def _stage_archive(
    source: Source, file: SourceFile, folder: Path, blobs: Blobs, known: KnownSource, most_bytes: int
) -> dict[str, StoredFile]:
    before = known.listed.get(file.name)
    if before is not None and before.version == file.version and known.unpacked:
        if all(blobs.take(stored, folder / name) for name, stored in known.unpacked.items()):
            return known.unpacked
        for name in known.unpacked:
            (folder / name).unlink(missing_ok=True)
    archive = folder.with_name(f"{folder.name}{ARCHIVE}")
    try:
        source.fetch(file, archive, most_bytes)
        unpack(archive, folder, most_bytes, source.shown)
    finally:
        archive.unlink(missing_ok=True)
    unpacked = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): blobs.keep(path) for path in unpacked}


def _name_in_folder(file: SourceFile, source: Source) -> str:
    """A single file of weights becomes what packages call theirs, whatever its own name is."""
    if source.file_name is None:
        return file.name
    return f"weights{Path(file.name).suffix.lower()}"


def _with_version(files: dict[SourceFile, StoredFile | None]) -> dict[str, KnownFile]:
    return {
        file.name: KnownFile(version=file.version, stored=stored)
        for file, stored in files.items()
        if file.version is not None
    }


def known_source(record: Path) -> KnownSource:
    """What a record says; nothing when there is none, or it is damaged."""
    try:
        return KnownSource.model_validate_json(record.read_bytes())
    except (OSError, ValidationError):  # never seen before, or half written: everything is fetched
        return KnownSource()
