"""The packages that were added on this machine: fetched once, checked, and only then put in their place.

```
blobs/ab/ab12...          every file of every package, by its checksum
models/<project>@<version>/   a package: hard links to blobs, and its manifest
mirrors/<source>/<path>/  packages of a source that an endpoint's arguments name
sources/<source>.json     what was fetched from where, so that only what changed is fetched again
incoming/<source>/        what is being fetched; whatever a killed process left there is thrown away by the next
locks/                    one for each source, and one for the moment in which something is put in its place
```
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from deployments.models.errors import ModelError, ModelPackageError, ModelSourceError, UnknownModelError
from deployments.models.model_id import canonical_model_id, check_model_id
from deployments.models.package import ModelPackage, read_package
from deployments.models.package_layouts.manifest import MANIFEST, Manifest
from deployments.models.package_survey import SHIPPED_DIRECTORY, alias_problems, survey_packages
from deployments.models.pp_ocr.packages import pp_ocr_beside
from deployments.models.store.blobs import Blobs, link_or_copy
from deployments.models.store.given_facts import GivenFacts
from deployments.models.store.placed import holds, manifest_or_none, read_placed
from deployments.models.store.source_packages import packages_of
from deployments.models.store.sources import Source, version_of
from deployments.models.store.staging import GIBIBYTE, known_source, stage
from workflows.definition.nearest import suggest

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 3600.0
UNUSED_S = 30 * 24 * 3600.0
COMMIT = "commit"
VERSION = ".version"
RUBBISH = ".rubbish"

Inspect = Callable[[ModelPackage], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedPackage:
    """A package that is in its place.

    Attributes:
        package: what it is.
        is_new: whether it was not there before in just this form.
    """

    package: ModelPackage
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A package that was thrown away.

    Attributes:
        model_id: which one an alias meant.
        freed_bytes: of files that no package has any more.
    """

    model_id: str
    freed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was thrown away.

    Attributes:
        sources: how many were forgotten.
        freed_bytes: of files that no package has any more.
    """

    sources: int
    freed_bytes: int


class PackageStore:
    """A folder of packages, shared by any number of processes."""

    def __init__(self, root: Path, most_bytes: int = 20 * GIBIBYTE) -> None:
        """Nothing is made yet.

        Args:
            root: the folder.
            most_bytes: largest source.
        """
        self._root = root
        self._most_bytes = most_bytes
        self._blobs = Blobs(root / "blobs")

    @property
    def models_dir(self) -> Path:
        """Where added packages lie, for a server to serve."""
        return self._root / "models"

    def add(
        self, source: Source, given: GivenFacts, inspect: Inspect, *, take_place: bool = False
    ) -> list[AddedPackage]:
        """Put every package of a source in its place, when all of them pass.

        Args:
            source: where from.
            given: what is said about it.
            inspect: raises for a package that must not be added; not called for those that are in place already.
            take_place: whether a package may take the place of one that came from elsewhere.

        Raises:
            ModelSourceError: the source cannot be read.
            ModelPackageError: a package is wrong, or its place is taken.
        """
        try:
            return self._add(source, given, inspect, take_place=take_place)
        except ModelSourceError:
            raise  # what came before it broke off need not be fetched again
        except ModelError:
            with self._locked(COMMIT):
                self.collect()
            raise

    def _add(self, source: Source, given: GivenFacts, inspect: Inspect, *, take_place: bool) -> list[AddedPackage]:
        with self.staged(source, given) as staged:
            new = [
                (package, manifest)
                for package, manifest in staged
                if not holds(self._place(package.model_id), manifest)
            ]
            if new:
                self._check_names(new, take_place=take_place)
            for package, _ in new:
                inspect(package)
            added = {package.model_id for package, _ in new}
            with self._locked(COMMIT):
                replaces = any(self._place(model_id).is_dir() for model_id in added)
                for package, manifest in staged:
                    place = self._place(package.model_id)
                    # What was there already may have been removed meanwhile.
                    if package.model_id in added or manifest_or_none(place) != manifest:
                        self._commit(package.directory, place, manifest)
                        added.add(package.model_id)
                if replaces:
                    self.collect()
                return [
                    AddedPackage(package=read_package(self._place(package.model_id)), is_new=package.model_id in added)
                    for package, _ in staged
                ]

    def mirror(self, source: Source) -> Path:
        """A folder with the packages of a source as they are there now; as they were, when it cannot be reached.

        Raises:
            ModelSourceError: the source cannot be read and never was.
            ModelPackageError: a package is wrong.
        """
        mirror = self._root / "mirrors" / source.key
        try:
            version = self._mirror_version(source)
            if version is None or version != _text(mirror / VERSION):
                self._renew(mirror, source, version)
        except (ModelSourceError, ModelPackageError) as error:
            if not mirror.is_dir():
                raise
            logger.warning(
                "a source of models cannot be had; its packages of before are served",
                extra={"source": source.shown, "reason": error.message},
            )
        return mirror

    def _mirror_version(self, source: Source) -> str | None:
        """Changes when the source does; None when its server does not say. One process asks at a time."""
        with self._locked(source.key):
            self._mark_used(source)
            return version_of(source.files(known_source(self._record(source.key)).listed))

    def _renew(self, mirror: Path, source: Source, version: str | None) -> None:
        with self.staged(source, GivenFacts()) as staged, self._locked(COMMIT):
            if version is not None and version == _text(mirror / VERSION):
                return  # another process was faster
            mirror.mkdir(parents=True, exist_ok=True)
            places = [mirror / f"{at:04d}" for at in range(len(staged))]
            new = [
                (place, package, manifest)
                for place, (package, manifest) in zip(places, staged, strict=True)
                if not holds(place, manifest)
            ]
            for place, package, manifest in new:
                self._commit(package.directory, place, manifest)
            left_over = {path for path in mirror.iterdir() if path.is_dir()} - set(places)
            for place in left_over:
                self._throw_away(place)
            (mirror / VERSION).write_text(version or "")
            if new or left_over:
                self.collect()

    @contextmanager
    def staged(self, source: Source, given: GivenFacts) -> Iterator[list[tuple[ModelPackage, Manifest]]]:
        """The packages of a source, fetched and read, while nobody else fetches that source; gone afterwards.

        Raises:
            ModelSourceError: the source cannot be read.
            ModelPackageError: a package is wrong, or what is given does not fit.
        """
        with self._locked(source.key):
            self._mark_used(source)
            incoming = self._root / "incoming" / source.key
            shutil.rmtree(incoming, ignore_errors=True)
            folder = incoming / "files"
            folder.mkdir(parents=True)
            try:
                files = stage(source, folder, self._blobs, self._record(source.key), self._most_bytes)
                yield packages_of(source, folder, files, given)
            finally:
                shutil.rmtree(incoming, ignore_errors=True)

    def packages(self) -> dict[str, tuple[ModelPackage | ModelPackageError, Manifest | None]]:
        """What was added by id, broken packages as what is wrong with them."""
        found: dict[str, tuple[ModelPackage | ModelPackageError, Manifest | None]] = {}
        for folder in sorted(self.models_dir.iterdir()) if self.models_dir.is_dir() else ():
            package = read_placed(folder)
            if package is None:
                continue
            model_id = package.model_id if isinstance(package, ModelPackage) else folder.name.replace("@", "/")
            found[model_id] = (package, manifest_or_none(folder))
        return found

    def remove(self, name: str) -> Removed:
        """Throw a package away, named by its id or an alias, and the files that no other one has.

        Raises:
            InvalidModelIdError: the text is no model id.
            UnknownModelError: no such package was added.
        """
        with self._locked(COMMIT):
            model_id = self._id_of(name)
            self._throw_away(self._place(model_id))
            return Removed(model_id=model_id, freed_bytes=self.collect())

    def _id_of(self, name: str) -> str:
        """The id of an added package, named by it or by an alias."""
        if self._place(name).is_dir():
            return name
        known = self.packages()
        meant = canonical_model_id(name)
        for model_id, (package, manifest) in known.items():
            names = package.aliases if isinstance(package, ModelPackage) else manifest.aliases if manifest else ()
            if meant in (model_id, *names):
                return model_id
        raise UnknownModelError(f"no model {name!r} was added; {suggest(name, known, what='added models')}", name)

    def collect(self) -> int:
        """Throw away files that no package has; gives the bytes that this freed. Call it with the lock of commits."""
        in_use = {
            stored.sha256
            for pattern in (f"models/*/{MANIFEST}", f"mirrors/*/*/{MANIFEST}")
            for path in self._root.glob(pattern)
            if (manifest := manifest_or_none(path.parent)) is not None
            for stored in manifest.files.values()
        }
        for left_over in (self._root / "incoming").glob("*"):
            if left_over.suffix == RUBBISH:  # made and thrown away with the lock of commits: nobody is at it
                shutil.rmtree(left_over, ignore_errors=True)
                continue
            with suppress(ModelSourceError), self._locked(left_over.name, timeout_s=0):
                shutil.rmtree(left_over, ignore_errors=True)
        return self._blobs.collect(in_use)

    def prune(self, unused_s: float = UNUSED_S) -> Pruned:
        """Throw away what was fetched from sources that nobody used for a while, and files that no package has.

        Added packages stay. A source that somebody fetches at this moment stays too; one that is named again later is
        fetched anew.

        Args:
            unused_s: how long nobody may have added from a source, or served it.
        """
        if not self._root.is_dir():
            return Pruned(sources=0, freed_bytes=0)
        forgotten = 0
        with self._locked(COMMIT):
            for key in self._unused(time.time() - unused_s):
                with suppress(ModelSourceError), self._locked(key, timeout_s=0):
                    self._throw_away(self._root / "mirrors" / key)
                    self._record(key).unlink(missing_ok=True)
                    forgotten += 1
            freed_bytes = self.collect()
            for lock in (self._root / "locks").glob("*.lock"):
                if lock.stem != COMMIT and not self._record(lock.stem).is_file():
                    # Who waits for it sees that it is gone, and makes another one.
                    with suppress(ModelSourceError), self._locked(lock.stem, timeout_s=0):
                        lock.unlink(missing_ok=True)
        return Pruned(sources=forgotten, freed_bytes=freed_bytes)

    def _unused(self, since_s: float) -> list[str]:
        """Keys of sources that were used last before a moment, in seconds since 1970."""
        used_s = {path.name: path.stat().st_mtime for path in (self._root / "mirrors").glob("*")}
        # The record of a source says it, where there is one: it is touched at every use.
        used_s |= {path.stem: path.stat().st_mtime for path in (self._root / "sources").glob("*.json")}
        return sorted(key for key, last_s in used_s.items() if last_s < since_s)

    def _mark_used(self, source: Source) -> None:
        record = self._record(source.key)
        if record.is_file():
            os.utime(record)

    def _check_names(self, new: list[tuple[ModelPackage, Manifest]], *, take_place: bool) -> None:
        """Refuse to take the place of a package that came from elsewhere, or a name of any model that is served."""
        for package, manifest in new:
            there = manifest_or_none(self._place(package.model_id))
            if there is not None and there.source != manifest.source and not take_place:
                raise ModelPackageError(
                    f"{package.model_id!r} was added from {there.source} already; remove it first, replace it with "
                    "--replace, or give this one another --id",
                    str(self._place(package.model_id)),
                )
        whole = survey_packages(SHIPPED_DIRECTORY).packages | {
            package.model_id: package for package, _ in self.packages().values() if isinstance(package, ModelPackage)
        }
        own = {str(package.directory): manifest.source for package, manifest in new}
        known = {problem.message for problem in _served_alias_problems(whole)}
        for problem in _served_alias_problems(whole | {package.model_id: package for package, _ in new}):
            if problem.path in own:
                raise ModelPackageError(f"{own[problem.path]}: {problem.message}", own[problem.path])
            if problem.message not in known:
                raise ModelPackageError(f"{problem.message}; or add this one with another --id", problem.path)

    def _commit(self, staged: Path, place: Path, manifest: Manifest) -> None:
        """Put a package in its place: it is there whole, or not at all, whenever this process may be killed."""
        ready = staged.parent / f"{staged.name}.ready"
        for name, stored in manifest.files.items():
            (ready / name).parent.mkdir(parents=True, exist_ok=True)
            if not self._blobs.take(stored, ready / name):
                link_or_copy(staged / name, ready / name)
                self._blobs.keep(ready / name)
        (ready / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        self._throw_away(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        ready.rename(place)

    def _throw_away(self, place: Path) -> None:
        """Have a folder vanish in one step."""
        if place.is_dir():
            rubbish = self._root / "incoming" / f"{place.name}.{os.getpid()}{RUBBISH}"
            rubbish.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(rubbish, ignore_errors=True)
            place.rename(rubbish)
            shutil.rmtree(rubbish, ignore_errors=True)

    def _record(self, key: str) -> Path:
        return self._root / "sources" / f"{key}.json"

    def _place(self, model_id: str) -> Path:
        check_model_id(model_id)
        return self.models_dir / model_id.replace("/", "@")

    @contextmanager
    def _locked(self, name: str, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
        (self._root / "locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / "locks" / f"{name}.lock", timeout=timeout_s)
        try:
            lock.acquire()
        except Timeout as error:
            raise ModelSourceError(f"another process has held {lock.lock_file} for {timeout_s:g} s", name) from error
        try:
            yield
        finally:
            lock.release()


def _served_alias_problems(packages: Mapping[str, ModelPackage]) -> list[ModelPackageError]:
    """One for each alias that a server would refuse, which serves PP-OCR besides."""
    return alias_problems({**pp_ocr_beside(packages.keys()), **packages})


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
