"""A package in its place, where other processes may put another one or throw it away at any moment."""

from __future__ import annotations

from pathlib import Path

from deployments.models.errors import ModelPackageError
from deployments.models.package import ModelPackage, read_package
from deployments.models.package_layouts.manifest import Manifest, read_manifest
from deployments.models.store.blobs import described


def holds(place: Path, manifest: Manifest) -> bool:
    """Whether a folder holds just these files, every one of them whole."""
    if manifest_or_none(place) != manifest:
        return False
    try:
        return all(described(place / name) == file for name, file in manifest.files.items())
    except OSError:  # a file is missing, or another process has just thrown the package away
        return False


def read_placed(place: Path) -> ModelPackage | ModelPackageError | None:
    """A package in its place, or what is wrong with it; None when it is not there.

    Other processes put packages in their places and throw them away meanwhile, each in one step: what was read counts
    only if it was one and the same folder all the time.
    """
    while (folder := _folder_number(place)) is not None:
        read: ModelPackage | ModelPackageError
        try:
            read = read_package(place)
        except ModelPackageError as error:
            read = error
        except FileNotFoundError as error:
            read = ModelPackageError(f"{Path(error.filename or place).name} is missing; add it again", str(place))
        if _folder_number(place) == folder:
            return read
    return None


def _folder_number(place: Path) -> int | None:
    """Tells a folder from any other that has its name later; None when there is none."""
    try:
        return place.stat().st_ino if place.is_dir() else None
    except FileNotFoundError:
        return None


def manifest_or_none(folder: Path) -> Manifest | None:
    """What a folder says of itself; None when it is not there, says nothing, or is damaged."""
    try:
        return read_manifest(folder)
    except ModelPackageError:
        return None
