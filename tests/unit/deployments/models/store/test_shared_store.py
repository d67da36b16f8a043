"""Several processes add to one store and remove from it at once."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from deployments.models.errors import ModelError, ModelPackageError, UnknownModelError
from deployments.models.package import ModelPackage
from deployments.models.package_layouts.manifest import Manifest
from deployments.models.store import package_store, placed
from deployments.models.store.given_facts import GivenFacts
from deployments.models.store.package_store import PackageStore
from deployments.models.store.sources import Source
from tests.unit.deployments.models.builders import write_package

NOTHING = GivenFacts()
PROCESSES, ROUNDS = 4, 20


def passes(_: ModelPackage) -> None:
    """Inspect nothing."""


def add_and_remove(root: Path, folder: Path, model_id: str) -> list[str]:
    """What goes wrong for one process that looks after a single model."""
    store = PackageStore(root)
    wrong = []
    for _ in range(ROUNDS):
        try:
            store.add(Source(str(folder)), NOTHING, passes)
            store.packages()
            store.remove(model_id)
        except (OSError, ModelError) as error:
            wrong.append(repr(error))
    return wrong


def test_processes_that_add_and_remove_their_own_models_do_not_disturb_one_another(tmp_path: Path) -> None:
    ids = [f"plates/{at}" for at in range(PROCESSES)]
    folders = [write_package(tmp_path / model_id, {"model_id": model_id}) for model_id in ids]  # of the same weights
    root = tmp_path / "store"
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as processes:
        answers = list(processes.map(add_and_remove, [root] * PROCESSES, folders, ids))
    assert answers == [[]] * PROCESSES
    assert PackageStore(root).packages() == {}


def between(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]) -> None:
    """Have something happen while a package is read, once."""
    read = placed.read_package
    waiting = [happen]

    def interrupted(place: Path, *rest: str | None) -> ModelPackage:
        if waiting:
            waiting.pop()()
        return read(place, *rest)

    monkeypatch.setattr(placed, "read_package", interrupted)


def test_a_package_that_vanishes_while_it_is_read_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PackageStore(tmp_path / "store")
    store.add(Source(str(write_package(tmp_path / "plates" / "1"))), NOTHING, passes)
    between(monkeypatch, lambda: shutil.rmtree(store.models_dir / "plates@1"))
    assert store.packages() == {}


def test_a_package_that_stays_and_lacks_files_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PackageStore(tmp_path / "store")
    store.add(Source(str(write_package(tmp_path / "plates" / "1"))), NOTHING, passes)
    between(monkeypatch, lambda: (store.models_dir / "plates@1" / "weights.onnx").unlink())
    assert isinstance(store.packages()["plates/1"][0], ModelPackageError)


def test_what_is_removed_while_it_is_added_again_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, folder = PackageStore(tmp_path / "store"), write_package(tmp_path / "plates" / "1")
    store.add(Source(str(folder)), NOTHING, passes)
    holds = placed.holds

    def removed_meanwhile(place: Path, manifest: Manifest) -> bool:
        found = holds(place, manifest)
        PackageStore(tmp_path / "store").remove("plates/1")
        return found

    monkeypatch.setattr(package_store, "holds", removed_meanwhile)
    (added,) = store.add(Source(str(folder)), NOTHING, passes)
    assert added.is_new
    assert list(store.packages()) == ["plates/1"]
    store.remove("plates/1")
    with pytest.raises(UnknownModelError):
        store.remove("plates/1")
