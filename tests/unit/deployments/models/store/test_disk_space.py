"""What a store keeps is bounded by what its packages have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from deployments.models.errors import ModelPackageError, ModelSourceError
from deployments.models.package import ModelPackage
from deployments.models.store.given_facts import GivenFacts
from deployments.models.store.package_store import UNUSED_S, PackageStore, Pruned
from deployments.models.store.sources import Source
from tests.unit.deployments.models.builders import write_package

NOTHING = GivenFacts()
FILES = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> PackageStore:
    return PackageStore(root)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(str(write_package(tmp_path / "plates" / "1")))


def passes(_: ModelPackage) -> None:
    """Inspect nothing."""


def refuses(_: ModelPackage) -> None:
    raise ModelPackageError("no", "here")


def blobs(root: Path) -> int:
    return len(list(root.glob("blobs/*/*")))


def grow_old(root: Path, source: Source) -> None:
    """Have the last use of a source be as long ago as sources are kept."""
    record = root / "sources" / f"{source.key}.json"
    old_s = record.stat().st_mtime - UNUSED_S - 60
    os.utime(record, (old_s, old_s))


def test_a_package_that_is_refused_leaves_no_files(root: Path, store: PackageStore, source: Source) -> None:
    with pytest.raises(ModelPackageError):
        store.add(source, NOTHING, refuses)
    assert blobs(root) == 0
    assert store.add(source, NOTHING, passes)[0].is_new


def test_a_transfer_that_breaks_off_leaves_what_came(
    root: Path, store: PackageStore, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Source.fetch

    def broken(self: Source, file: object, *rest: object) -> None:
        if blobs(root):
            raise ModelSourceError("broken off", self.shown)
        fetch(self, file, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Source, "fetch", broken)
    with pytest.raises(ModelSourceError):
        store.add(source, NOTHING, passes)
    assert blobs(root) == 1


def test_a_package_that_replaces_another_leaves_nothing_of_it(
    tmp_path: Path, root: Path, store: PackageStore, source: Source
) -> None:
    for names in ("one\n", "two\n", "three\n"):
        write_package(tmp_path / "plates" / "1", class_names=names)
        assert store.add(source, NOTHING, passes)[0].is_new
        assert blobs(root) == FILES


def test_a_mirror_keeps_nothing_of_what_its_source_had_before(
    tmp_path: Path, root: Path, store: PackageStore, source: Source
) -> None:
    for names in ("one\n", "longer\n", "the longest\n"):
        write_package(tmp_path / "plates" / "1", class_names=names)
        store.mirror(source)
        assert blobs(root) == FILES


def test_what_nobody_used_for_a_while_is_pruned(root: Path, store: PackageStore, source: Source) -> None:
    mirror = store.mirror(source)
    assert store.prune() == Pruned(sources=0, freed_bytes=0)
    grow_old(root, source)
    size_bytes = sum(path.stat().st_size for path in root.glob("blobs/*/*"))
    assert store.prune() == Pruned(sources=1, freed_bytes=size_bytes)
    assert not mirror.exists()
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["commit.lock"]
    assert store.mirror(source) == mirror
    assert mirror.is_dir()


def test_what_was_added_stays_however_long_ago(root: Path, store: PackageStore, source: Source) -> None:
    store.add(source, NOTHING, passes)
    grow_old(root, source)
    assert store.prune() == Pruned(sources=1, freed_bytes=0)
    assert list(store.packages()) == ["plates/1"]


@pytest.mark.parametrize("is_away", [False, True])
def test_a_source_that_is_served_is_used(
    tmp_path: Path, root: Path, store: PackageStore, source: Source, is_away: bool
) -> None:
    store.mirror(source)
    grow_old(root, source)
    if is_away:
        (tmp_path / "plates").rename(tmp_path / "away")
    store.mirror(source)
    assert store.prune() == Pruned(sources=0, freed_bytes=0)


def test_a_source_that_somebody_fetches_stays(root: Path, store: PackageStore, source: Source) -> None:
    mirror = store.mirror(source)
    grow_old(root, source)
    with FileLock(root / "locks" / f"{source.key}.lock"):
        assert store.prune().sources == 0
    assert mirror.is_dir()


def test_an_empty_store_has_nothing_to_prune(root: Path, store: PackageStore) -> None:
    assert store.prune() == Pruned(sources=0, freed_bytes=0)
    assert not root.exists()
