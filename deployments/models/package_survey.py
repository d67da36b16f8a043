"""Which models a directory of packages offers, and what is wrong with those that cannot be served."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployments.models.errors import ModelPackageError, OtherRuntimeError
from deployments.models.model_id import ALIASES
from deployments.models.package import CONFIG_FILES, ModelPackage, read_package
from deployments.models.package_layouts.files import read_json_object
from deployments.models.package_layouts.manifest import read_manifest
from deployments.models.package_layouts.model_config import MODEL_CONFIG
from deployments.models.package_layouts.weights_file import PICKLE_SUFFIXES

logger = logging.getLogger(__name__)

SHIPPED_DIRECTORY = Path(__file__).parent / "shipped"
"""Packages that come with the project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSurvey:
    """What was found in a directory.

    Attributes:
        packages: by model id.
        refused: what is wrong with each folder that looks like a package and cannot be served, by the id it would have.
        problems: the same, and every other reason that something cannot be served.
        left_out: one for each package that is for another runtime.
    """

    packages: dict[str, ModelPackage]
    refused: dict[str, ModelPackageError]
    problems: tuple[ModelPackageError, ...]
    left_out: tuple[OtherRuntimeError, ...]


def survey_packages(directory: Path) -> PackageSurvey:
    """Every package at any depth of `directory`, and what is wrong with those that cannot be served.

    Raises:
        ModelPackageError: there is no such directory.
    """
    if not directory.is_dir():
        raise ModelPackageError(
            f"there is no directory {directory}; name one that holds model packages", str(directory)
        )
    packages: dict[str, ModelPackage] = {}
    refused: dict[str, ModelPackageError] = {}
    left_out: list[OtherRuntimeError] = []
    for folder in package_folders(directory):
        fallback_id = None if folder == directory else folder.relative_to(directory).as_posix()
        try:
            package = read_package(folder, fallback_id)
        except OtherRuntimeError as error:
            left_out.append(error)
            continue
        except ModelPackageError as error:
            refused[_id_meant_by(folder, fallback_id)] = error
            continue
        model_id = package.model_id
        if model_id in packages:
            first = packages[model_id].directory.relative_to(directory).as_posix()
            refused[model_id] = ModelPackageError(
                f"two packages call themselves {model_id!r}, in {first} and {fallback_id}; "
                f"give one of them another model_id in {MODEL_CONFIG}",
                str(folder),
            )
        packages[model_id] = package
    problems = [*refused.values(), *alias_problems(packages)]
    packages = {model_id: package for model_id, package in packages.items() if model_id not in refused}
    return PackageSurvey(packages=packages, refused=refused, problems=tuple(problems), left_out=tuple(left_out))


def discover_packages(*directories: Path) -> dict[str, ModelPackage]:
    """Packages of all directories by model id; a later directory replaces what an earlier one calls the same.

    Raises:
        ModelPackageError: lists every folder that looks like a package and cannot be served, so that all can be mended
            at once and nothing is served that its owner did not mean.
    """
    found: dict[str, ModelPackage] = {}
    problems: list[ModelPackageError] = []
    for directory in directories:
        survey = survey_packages(directory)
        found.update(survey.packages)
        problems.extend(survey.problems)
        for package in survey.left_out:
            logger.warning("a model package is left out", extra={"package": package.path, "reason": package.message})
    problems += alias_problems(found)
    if problems:
        raise ModelPackageError(
            f"model packages that cannot be served; mend or remove:\n{listed(problems)}",
            ", ".join(str(directory) for directory in directories),
        )
    return found


def listed(problems: Iterable[ModelPackageError]) -> str:
    """One indented line for each: where, and what."""
    return "\n".join(dict.fromkeys(f"  {problem.path}: {problem.message}" for problem in problems))


def alias_problems(packages: Mapping[str, ModelPackage]) -> list[ModelPackageError]:
    """One for each alias that means another model already."""
    taken = {**{model_id: model_id for model_id in packages}, **ALIASES}
    problems: list[ModelPackageError] = []
    for model_id, package in packages.items():
        for alias in package.aliases:
            meant = taken.setdefault(alias, model_id)
            if meant != model_id:
                problems.append(
                    ModelPackageError(
                        f"{model_id!r} calls itself {alias!r} too, which means {meant!r} already; "
                        "remove the alias or give it another name",
                        str(package.directory),
                    )
                )
    return problems


def package_folders(directory: Path) -> Iterator[Path]:
    """Folders that look like packages, links to folders included."""
    for parent, folders, files in os.walk(directory, followlinks=True):
        if _leads_back(Path(parent)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        suffixes = {Path(name).suffix.lower() for name in files}
        if (
            ".onnx" in suffixes
            or not suffixes.isdisjoint(PICKLE_SUFFIXES)
            or any(name in files for name in CONFIG_FILES)
        ):
            folders.clear()  # what lies inside a package belongs to it
            yield Path(parent)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.resolve() in (parent.resolve() for parent in folder.parents)


def _id_meant_by(directory: Path, fallback_id: str | None) -> str:
    """The id that a package would have that cannot be read."""
    try:
        manifest = read_manifest(directory)
        path = directory / MODEL_CONFIG
        declared = read_json_object(path).get("model_id") if path.is_file() else None
    except ModelPackageError:
        manifest, declared = None, None
    if manifest is not None:
        return manifest.model_id
    return declared if isinstance(declared, str) else fallback_id or f"{directory.parent.name}/{directory.name}"
