"""What is written beside the files of a package that was added: where it came from, and the checksum of every file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.files import check_schema, read_json_object

MANIFEST = ".sightline.json"


class StoredFile(BaseModel):
    """One file of a package.

    Attributes:
        sha256: of its content, hexadecimal; the name of its blob.
        size_bytes: of its content.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """Where a package came from, and what it consists of.

    Attributes:
        model_id: what requests call it, whatever its own files say.
        aliases: further names for it.
        source: where it came from, without credentials.
        files: by path in the folder.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model_id: str
    aliases: tuple[str, ...] = ()
    source: str
    files: dict[str, StoredFile]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files.values())


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest in a folder; None when the folder was put together by hand.

    Raises:
        ModelPackageError: it is damaged.
    """
    path = directory / MANIFEST
    if not path.is_file():
        return None
    return check_schema(Manifest, read_json_object(path), path, MANIFEST)


def check_sizes(directory: Path, manifest: Manifest) -> None:
    """Refuse a folder whose files are not those that were added: missing, or of another size.

    Raises:
        ModelPackageError: names the file.
    """
    for name, expected in manifest.files.items():
        path = directory / name
        try:
            size_bytes = path.stat().st_size
        except OSError as error:
            raise ModelPackageError(
                f"{name} is missing since the package was added from {manifest.source}; add it again", str(path)
            ) from error
        if size_bytes != expected.size_bytes:
            raise ModelPackageError(
                f"{name} has {size_bytes} bytes and had {expected.size_bytes} when it was added from "
                f"{manifest.source}; remove the package and add it again",
                str(path),
            )
