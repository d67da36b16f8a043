"""The models that a person at the command line can name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.settings import data_directory

if TYPE_CHECKING:  # numpy and fsspec: only for those commands that need them
    from deployments.models.errors import ModelPackageError
    from deployments.models.package import ModelPackage
    from deployments.models.store.given_facts import GivenFacts
    from deployments.models.store.package_store import PackageStore


def package_store() -> PackageStore:
    """Where this user's added models are."""
    from deployments.models.store.package_store import PackageStore

    return PackageStore(data_directory())


def shipped_packages() -> dict[str, ModelPackage]:
    """Models that come with the project."""
    from deployments.models.package_survey import SHIPPED_DIRECTORY, discover_packages

    return discover_packages(SHIPPED_DIRECTORY)


def whole_packages() -> dict[str, ModelPackage]:
    """The shipped models and those that were added, without broken ones."""
    from deployments.models.package import ModelPackage

    added = {model_id: package for model_id, (package, _) in package_store().packages().items()}
    return shipped_packages() | {
        model_id: package for model_id, package in added.items() if isinstance(package, ModelPackage)
    }


@contextmanager
def opened_packages(model: str, given: GivenFacts) -> Iterator[list[ModelPackage | ModelPackageError]]:
    """The packages that a person means: those of a folder as it lies there, else what can be fetched, else an id.

    Of a folder, broken packages are among them as what is wrong with them.

    Raises:
        ModelError: there is no such thing, or it is broken.
    """
    from deployments.models.store.sources import Source

    here = Path(model).expanduser()
    if "://" in model or here.is_file() or (here.is_dir() and given.is_for_one):
        with package_store().staged(Source(model), given) as staged:
            yield [package for package, _ in staged]
    elif here.is_dir():
        yield _packages_in(here.absolute())
    else:
        yield [known_package(model)]


def known_package(model_id: str) -> ModelPackage:
    """A package by its id or one of its aliases.

    Raises:
        ModelPackageError: it is broken.
        UnknownModelError: there is none.
    """
    from deployments.models.errors import ModelPackageError, UnknownModelError
    from deployments.models.model_id import canonical_model_id
    from deployments.models.pp_ocr.packages import pp_ocr_packages
    from workflows.definition.nearest import suggest

    added = {found_id: package for found_id, (package, _) in package_store().packages().items()}
    known: dict[str, ModelPackage | ModelPackageError] = {**pp_ocr_packages(), **shipped_packages(), **added}
    names = {
        alias: package
        for package in known.values()
        if not isinstance(package, ModelPackageError)
        for alias in package.aliases
    }
    found = (names | known).get(canonical_model_id(model_id))
    if found is None:
        raise UnknownModelError(
            f"{model_id!r} is no path and no model here; {suggest(model_id, sorted(known), what='models')}", model_id
        )
    if isinstance(found, ModelPackageError):
        raise found
    return found


def _packages_in(folder: Path) -> list[ModelPackage | ModelPackageError]:
    from deployments.models.errors import ModelPackageError
    from deployments.models.package import read_package
    from deployments.models.package_survey import package_folders

    found: list[ModelPackage | ModelPackageError] = []
    for root in package_folders(folder):
        relative = root.relative_to(folder).as_posix()
        try:
            found.append(read_package(root, fallback_id=None if relative == "." else relative))
        except ModelPackageError as error:
            found.append(error)
    if not found:
        raise ModelPackageError(
            f"{folder} holds no model package: there is no weights.onnx, and no configuration of one", str(folder)
        )
    return found
