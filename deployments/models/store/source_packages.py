"""The packages among the files that came from a source."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from deployments.models.errors import ModelPackageError, ModelSourceError, OtherRuntimeError
from deployments.models.model_id import check_model_id
from deployments.models.package import ModelPackage, read_package, with_manifest
from deployments.models.package_layouts.manifest import Manifest, StoredFile
from deployments.models.package_layouts.weights_file import WEIGHTS_SUFFIXES, pickles_refused
from deployments.models.package_survey import package_folders
from deployments.models.store.blobs import described
from deployments.models.store.given_facts import GivenFacts
from deployments.models.store.sources import Source

logger = logging.getLogger(__name__)


def packages_of(
    source: Source, folder: Path, files: Mapping[str, StoredFile], given: GivenFacts
) -> list[tuple[ModelPackage, Manifest]]:
    """Each that can be served here, read, and what it consists of.

    Args:
        source: where the files came from.
        folder: where they are laid out; what is given is written beside them.
        files: by path in the folder, as far as they are described already.
        given: what is said about the one package.

    Raises:
        ModelSourceError: there is no package that can be served here, or several where one is described.
        ModelPackageError: a package is wrong, or what is given does not fit.
    """
    roots = list(package_folders(folder))
    if not roots:
        pickles = source.pickles()
        lacks = "there is no weights.onnx, and no configuration of one"
        raise ModelSourceError(
            f"{source.shown} holds no model package: {pickles_refused(pickles) if pickles else lacks}", source.shown
        )
    if given.is_for_one and len(roots) > 1:
        named = ", ".join(root.relative_to(folder).as_posix() for root in roots[:10])
        raise ModelSourceError(
            f"{source.shown} holds {len(roots)} packages ({named}); name one of them to say something about it",
            source.shown,
        )
    packages = []
    for root in roots:
        relative = root.relative_to(folder).as_posix()
        try:
            given.write(root)
            read = read_package(root, fallback_id=source.name if relative == "." else relative)
        except ModelPackageError as error:
            if isinstance(error, OtherRuntimeError) and len(roots) > 1:
                logger.warning("a model package is left out", extra={"package": relative, "reason": error.message})
                continue
            where = source.shown if relative == "." else f"{source.shown}, {relative}"
            missing = Path(error.path)
            lacks_weights = missing.suffix in WEIGHTS_SUFFIXES and not missing.exists()
            pickles = _pickles_in(source, relative) if lacks_weights else ()
            message = pickles_refused(pickles, missing.name) if pickles else error.message
            raise type(error)(f"{where}: {message}", where) from error
        if given.model_id is not None:
            check_model_id(given.model_id)
        manifest = Manifest(
            model_id=given.model_id or read.model_id,
            aliases=given.aliases,
            source=source.shown,
            files={
                path.relative_to(root).as_posix(): files.get(path.relative_to(folder).as_posix()) or described(path)
                for path in sorted(root.rglob("*"))
                if path.is_file()
            },
        )
        packages.append((with_manifest(read, manifest), manifest))
    if not packages:
        raise ModelSourceError(f"{source.shown}: all {len(roots)} packages are for other runtimes", source.shown)
    return packages


def _pickles_in(source: Source, relative: str) -> tuple[str, ...]:
    """Weights in one folder of a source that are never fetched; they are what is there where a file is missing."""
    return tuple(name for name in source.pickles() if PurePosixPath(name).parent == PurePosixPath(relative))
