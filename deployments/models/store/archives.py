"""Unpacking a zip archive that somebody else made, without believing what it says of itself."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from deployments.models.errors import ModelSourceError

MOST_MEMBERS = 1000
PIECE_BYTES = 1024 * 1024


def unpack(archive: Path, target: Path, most_bytes: int, shown: str) -> None:
    """Write the files of a zip archive below a folder.

    Args:
        archive: the file.
        target: an empty folder.
        most_bytes: of all files together, counted as they are written and not as the archive claims.
        shown: how messages call the archive.

    Raises:
        ModelSourceError: no zip archive, damaged, encrypted, too large, or with names that lead out of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            if len(members) > MOST_MEMBERS:
                raise ModelSourceError(
                    f"{shown} holds {len(members)} files; a package has at most {MOST_MEMBERS}", shown
                )
            left_bytes = most_bytes
            for member in members:
                left_bytes -= _unpack_member(opened, member, target, left_bytes, shown)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise ModelSourceError(f"{shown} is no whole zip archive: {error}", shown) from error


def _unpack_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left_bytes: int, shown: str) -> int:
    """Write one file; gives its size."""
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename:
        raise ModelSourceError(f"{shown}: {member.filename!r} leads out of the archive", shown)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ModelSourceError(
            f"{shown}: {member.filename!r} is a link; archives must hold the files themselves", shown
        )
    if member.flag_bits & 1:
        raise ModelSourceError(f"{shown}: {member.filename!r} is encrypted", shown)
    path = target.joinpath(*name.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as source, path.open("xb") as file:
        while piece := source.read(PIECE_BYTES):
            written += len(piece)
            if written > left_bytes:
                raise ModelSourceError(f"{shown} unpacks to more than it may: {left_bytes} bytes were left", shown)
            file.write(piece)
    return written
