from __future__ import annotations

import json
import threading
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest

from deployments.models.errors import InvalidModelIdError, ModelPackageError, ModelSourceError, UnknownModelError
from deployments.models.package import ModelPackage, read_package
from deployments.models.package_survey import discover_packages
from deployments.models.store.given_facts import GivenFacts
from deployments.models.store.package_store import AddedPackage, PackageStore
from deployments.models.store.sources import Source
from tests.unit.deployments.models.builders import write_add_graph, write_package

NOTHING = GivenFacts()


class Inspector:
    """Remembers what it was shown, and refuses when told to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refusal: Exception | None = None

    def __call__(self, package: ModelPackage) -> None:
        self.seen.append(package.model_id)
        if self.refusal is not None:
            raise self.refusal


@pytest.fixture
def inspector() -> Inspector:
    return Inspector()


@pytest.fixture
def store(tmp_path: Path) -> PackageStore:
    return PackageStore(tmp_path / "store")


@pytest.fixture
def add(store: PackageStore, inspector: Inspector) -> Any:
    def of(source: str | Path, given: GivenFacts = NOTHING, **options: Any) -> list[AddedPackage]:
        return store.add(Source(str(source)), given, inspector, **options)

    return of


def in_memory(folder: Path) -> str:
    """The same files at a URL."""
    url = f"memory://{uuid.uuid4().hex}/plates/2"
    files = fsspec.filesystem("memory")
    for path in folder.rglob("*"):
        if path.is_file():
            files.pipe(f"{url.removeprefix('memory://')}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return url


def blobs(store: PackageStore) -> set[str]:
    return {path.name for path in store.models_dir.parent.glob("blobs/*/*")}


def ids(added: list[AddedPackage]) -> list[str]:
    return [each.package.model_id for each in added]


def test_a_folder_is_added_and_found_again(tmp_path: Path, store: PackageStore, inspector: Inspector, add: Any) -> None:
    folder = write_package(tmp_path / "plates" / "2")
    (added,) = add(folder)
    assert (added.package.model_id, added.is_new) == ("plates/2", True)
    assert list(discover_packages(store.models_dir)) == ["plates/2"]
    assert inspector.seen == ["plates/2"]
    assert added.package.weights_path.read_bytes() == (folder / "weights.onnx").read_bytes()
    assert added.package.directory == store.models_dir / "plates@2"


def test_an_empty_store_holds_nothing(store: PackageStore) -> None:
    assert store.packages() == {}
    with pytest.raises(UnknownModelError, match="there are no added models"):
        store.remove("plates/2")


def test_what_is_there_already_is_neither_inspected_nor_fetched_again(
    tmp_path: Path, inspector: Inspector, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = in_memory(write_package(tmp_path / "a"))
    add(url)
    monkeypatch.setattr(Source, "fetch", None)  # the second time must not come so far
    (again,) = add(url)
    assert not again.is_new
    assert inspector.seen == ["plates/2"]


def test_many_who_add_the_same_at_once_fetch_it_once(
    tmp_path: Path, store: PackageStore, inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = in_memory(write_package(tmp_path / "a"))
    fetched: list[str] = []
    fetch = Source.fetch
    together = threading.Barrier(20)

    def counted(self: Source, file: Any, *rest: Any) -> None:
        fetched.append(file.name)
        fetch(self, file, *rest)

    def one(_: int) -> list[str]:
        together.wait(timeout=30)
        return ids(PackageStore(store.models_dir.parent).add(Source(url), NOTHING, inspector))

    monkeypatch.setattr(Source, "fetch", counted)
    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(one, range(20))) == [["plates/2"]] * 20
    assert sorted(fetched) == ["class_names.txt", "inference_config.json", "model_config.json", "weights.onnx"]
    assert inspector.seen == ["plates/2"]


def test_what_changed_is_fetched_anew_and_replaces_the_package(
    tmp_path: Path, inspector: Inspector, add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_package(tmp_path / "a")
    url = in_memory(folder)
    add(url)
    fetched: list[str] = []
    fetch = Source.fetch
    monkeypatch.setattr(
        Source, "fetch", lambda self, file, *rest: (fetched.append(file.name), fetch(self, file, *rest))
    )
    fsspec.filesystem("memory").pipe(f"{url.removeprefix('memory://')}/class_names.txt", b"other\n")
    (added,) = add(url)
    assert added.is_new
    assert added.package.class_names == ("other",)
    assert fetched == ["class_names.txt"]
    assert inspector.seen == ["plates/2", "plates/2"]


def test_weights_alone_become_a_package_with_what_is_said_about_them(tmp_path: Path, add: Any) -> None:
    weights = write_add_graph(tmp_path / "best.onnx")
    names = tmp_path / "names.txt"
    names.write_text("forklift\npallet\n")
    given = GivenFacts(
        model_id="forklifts/3",
        aliases=("forklifts",),
        task="object-detection",
        architecture="yolov8n",
        class_names=names,
    )
    package = add(weights, given)[0].package
    assert (package.model_id, package.aliases) == ("forklifts/3", ("forklifts",))
    assert (package.task_type, package.architecture) == ("object-detection", "yolov8")
    assert package.class_names == ("forklift", "pallet")


def test_weights_alone_are_called_by_their_name(tmp_path: Path, add: Any) -> None:
    assert ids(add(write_add_graph(tmp_path / "best.onnx"))) == ["best"]
    (tmp_path / "plates" / "7").mkdir(parents=True)
    assert ids(add(write_add_graph(tmp_path / "plates" / "7" / "weights.onnx"))) == ["plates/7"]


def test_an_archive_is_unpacked_wherever_the_package_lies_in_it(tmp_path: Path, add: Any, store: PackageStore) -> None:
    folder = write_package(tmp_path / "a")
    archive = tmp_path / "plates-9.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in folder.iterdir():
            opened.write(path, f"export/{path.name}")
        opened.writestr("__MACOSX/export/._weights.onnx", b"x")
    assert ids(add(archive, GivenFacts(model_id="plates/9"))) == ["plates/9"]
    assert not add(archive, GivenFacts(model_id="plates/9"))[0].is_new
    assert len(blobs(store)) >= 4


def test_every_package_of_a_folder_is_added_and_nothing_can_be_said_about_all(tmp_path: Path, add: Any) -> None:
    write_package(tmp_path / "many" / "plates" / "1")
    write_package(tmp_path / "many" / "cars" / "1", {"model_id": "cars/8"})
    assert ids(add(tmp_path / "many")) == ["cars/8", "plates/1"]
    with pytest.raises(ModelSourceError, match=r"holds 2 packages \(cars/1, plates/1\); name one of them"):
        add(tmp_path / "many", GivenFacts(model_id="mine/1"))


def test_a_package_that_does_not_pass_leaves_nothing(
    tmp_path: Path, store: PackageStore, inspector: Inspector, add: Any
) -> None:
    inspector.refusal = ModelPackageError("no", "here")
    with pytest.raises(ModelPackageError, match="no"):
        add(write_package(tmp_path / "a"))
    assert store.packages() == {}
    assert not list((store.models_dir.parent / "incoming").iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "weights.onnx").write_bytes((folder / "weights.onnx").read_bytes()[:-9]), "no whole"),
        (lambda folder: (folder / "model_config.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "weights.onnx").unlink(), "weights.onnx is missing"),
        (lambda folder: (folder / "model_config.json").write_text('{"backend_type": "trt"}'), "backend_type is 'trt'"),
    ],
)
def test_a_bad_package_is_refused_with_where_it_came_from(
    tmp_path: Path, store: PackageStore, add: Any, change: Any, message: str
) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    change(folder)
    with pytest.raises(ModelPackageError, match=message) as caught:
        add(folder)
    assert caught.value.message.startswith(f"{folder}: ")
    assert store.packages() == {}


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "there are no files of a model package"), ({"best.pt": b"\x80\x04"}, "best.pt: weights that may run code")],
)
def test_a_folder_without_a_package_is_refused(tmp_path: Path, add: Any, files: dict[str, bytes], message: str) -> None:
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(ModelSourceError, match=message):
        add(tmp_path / "a")
    (tmp_path / "a" / "notes.txt").write_text("nothing")
    with pytest.raises(ModelSourceError, match="holds no model package"):
        add(tmp_path / "a")


def test_pickles_are_called_so_when_there_is_nothing_else_to_run(tmp_path: Path, add: Any) -> None:
    refused = r"weights\.pt: weights that may run code when opened are refused; export to weights\.onnx"
    folder = tmp_path / "plates" / "1"
    folder.mkdir(parents=True)
    (folder / "weights.pt").write_bytes(b"\x80\x04")
    with pytest.raises(ModelSourceError, match=refused):
        add(folder / "weights.pt")
    (folder / "class_names.txt").write_text("plate\n")
    with pytest.raises(ModelSourceError, match=refused):
        add(folder)
    (write_package(folder) / "weights.onnx").unlink()
    with pytest.raises(ModelPackageError, match=refused):
        add(folder)
    with pytest.raises(ModelPackageError, match=refused):
        add(tmp_path / "plates")
    (folder / "inference_config.json").unlink()
    with pytest.raises(ModelPackageError, match=r"inference_config\.json is missing"):
        add(folder)


def test_a_place_that_is_taken_is_refused_unless_it_is_to_be_replaced(tmp_path: Path, add: Any) -> None:
    first = write_package(tmp_path / "first", {"model_id": "plates/1"})
    second = write_package(tmp_path / "second", {"model_id": "plates/1"}, class_names="other\n")
    add(first)
    with pytest.raises(ModelPackageError, match=f"'plates/1' was added from {first} already"):
        add(second)
    assert add(second, take_place=True)[0].package.class_names == ("other",)


def test_an_alias_of_another_added_package_is_refused(tmp_path: Path, add: Any) -> None:
    add(write_package(tmp_path / "first", {"model_id": "plates/1", "aliases": ["plates"]}))
    with pytest.raises(ModelPackageError, match="'cars/1' calls itself 'plates' too"):
        add(write_package(tmp_path / "second", {"model_id": "cars/1"}), GivenFacts(aliases=("plates",)))


@pytest.mark.parametrize(
    ("alias", "meant"), [("doctr/default", "doctr/default"), ("pp_ocr/default", "pp_ocr/small-small")]
)
def test_an_alias_of_a_model_that_every_server_has_is_refused(
    tmp_path: Path, store: PackageStore, add: Any, alias: str, meant: str
) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    message = f"{folder}: 'plates/1' calls itself '{alias}' too, which means '{meant}' already"
    with pytest.raises(ModelPackageError, match=message):
        add(folder, GivenFacts(aliases=(alias,)))
    assert store.packages() == {}


@pytest.mark.parametrize("model_id", ["doctr/default", "pp_ocr/default", "pp_ocr/small-small"])
def test_the_place_of_a_model_that_every_server_has_may_be_taken(tmp_path: Path, add: Any, model_id: str) -> None:
    assert ids(add(write_package(tmp_path / "a"), GivenFacts(model_id=model_id))) == [model_id]


def test_an_id_that_is_an_alias_of_another_package_is_refused(tmp_path: Path, add: Any) -> None:
    add(write_package(tmp_path / "first", {"model_id": "plates/1", "aliases": ["plates"]}))
    with pytest.raises(ModelPackageError, match=r"which means 'plates' already; .*; or add this one with another --id"):
        add(write_package(tmp_path / "second", {"model_id": "plates"}))


@pytest.mark.parametrize("name", ["plates/1", "plates", "first"])
def test_a_package_is_removed_by_any_of_its_names(tmp_path: Path, store: PackageStore, add: Any, name: str) -> None:
    add(write_package(tmp_path / "plates" / "1", {"aliases": ["plates"]}), GivenFacts(aliases=("first",)))
    assert store.remove(name).model_id == "plates/1"
    assert store.packages() == {}


def test_a_broken_package_is_removed_by_the_alias_that_it_was_given(
    tmp_path: Path, store: PackageStore, add: Any
) -> None:
    add(write_package(tmp_path / "plates" / "1"), GivenFacts(aliases=("first",)))
    (store.models_dir / "plates@1" / "weights.onnx").unlink()
    store.remove("first")
    assert store.packages() == {}


def test_what_makes_no_sense_is_refused(tmp_path: Path, add: Any) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    with pytest.raises(InvalidModelIdError):
        add(folder, GivenFacts(model_id="../../etc"))
    with pytest.raises(ModelPackageError, match=r"says its task and architecture itself, in model_config\.json"):
        add(folder, GivenFacts(task="object-detection"))
    with pytest.raises(ModelPackageError, match="did you mean 'object-detection'"):
        add(write_add_graph(tmp_path / "best.onnx"), GivenFacts(task="object-detector"))
    with pytest.raises(ModelPackageError, match="name one with one class a line"):
        add(folder, GivenFacts(class_names=tmp_path / "nowhere.txt"))


def test_a_source_that_is_too_large_is_not_fetched(tmp_path: Path, inspector: Inspector) -> None:
    store = PackageStore(tmp_path / "store", most_bytes=100)
    with pytest.raises(ModelSourceError, match="at most 2000 files of 100 bytes are taken"):
        store.add(Source(str(write_package(tmp_path / "a"))), NOTHING, inspector)


def test_removing_a_package_throws_away_what_no_other_one_has(tmp_path: Path, store: PackageStore, add: Any) -> None:
    add(write_package(tmp_path / "a", {"model_id": "plates/1"}))
    kept = blobs(store)
    add(write_package(tmp_path / "b", {"model_id": "plates/2"}, class_names="other\n"))
    more = blobs(store) - kept
    freed = store.remove("plates/2").freed_bytes
    assert list(store.packages()) == ["plates/1"]
    assert blobs(store) == kept
    assert len(more) == 2  # its configuration and its names; the weights are the same
    assert freed == sum((tmp_path / "b" / name).stat().st_size for name in ("model_config.json", "class_names.txt"))
    with pytest.raises(UnknownModelError, match="did you mean 'plates/1'"):
        store.remove("plates/2")


def test_a_damaged_package_never_passes_and_is_mended_by_adding_it_again(
    tmp_path: Path, store: PackageStore, add: Any
) -> None:
    url = in_memory(write_package(tmp_path / "a"))
    place = add(url)[0].package.directory
    whole = (place / "weights.onnx").read_bytes()
    (place / "weights.onnx").chmod(0o600)
    with (place / "weights.onnx").open("r+b") as file:  # the blob is the same file
        file.truncate(len(whole) - 1)
    broken, _ = store.packages()["plates/2"]
    assert isinstance(broken, ModelPackageError)
    with pytest.raises(ModelPackageError, match="when it was added"):
        read_package(place)
    assert add(url)[0].is_new
    assert (read_package(place).weights_path).read_bytes() == whole


def test_what_another_process_left_half_fetched_is_thrown_away(tmp_path: Path, store: PackageStore, add: Any) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    half = store.models_dir.parent / "incoming" / Source(str(folder)).key / "files" / "weights.onnx"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert ids(add(folder)) == ["plates/1"]
    assert not half.exists()


def test_a_mirror_follows_its_source(tmp_path: Path, store: PackageStore) -> None:
    models = tmp_path / "models"
    write_package(models / "plates" / "1")
    write_package(models / "cars" / "1")
    write_package(models / "torch" / "1", {"backend_type": "torch"})
    assert sorted(discover_packages(store.mirror(Source(str(models))))) == ["cars/1", "plates/1"]
    for path in (models / "cars" / "1").iterdir():
        path.unlink()
    mirror = store.mirror(Source(str(models)))
    assert sorted(discover_packages(mirror)) == ["plates/1"]
    assert store.packages() == {}


def test_a_mirror_keeps_what_it_had_when_its_source_is_away(tmp_path: Path, store: PackageStore, caplog: Any) -> None:
    models = tmp_path / "models"
    write_package(models / "plates" / "1")
    store.mirror(Source(str(models)))
    models.rename(tmp_path / "away")
    assert list(discover_packages(store.mirror(Source(str(models))))) == ["plates/1"]
    assert "does not exist" in str([vars(record) for record in caplog.records])


def test_a_mirror_of_what_has_not_changed_is_not_made_again(
    tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = in_memory(write_package(tmp_path / "a"))
    mirror = store.mirror(Source(url))
    monkeypatch.setattr(PackageStore, "staged", None)  # the second time must not come so far
    assert list(discover_packages(store.mirror(Source(url)))) == ["plates/2"]
    assert store.mirror(Source(url)) == mirror


def test_a_bad_package_at_its_source_leaves_the_mirror_as_it_was(tmp_path: Path, store: PackageStore) -> None:
    models = tmp_path / "models"
    weights = write_package(models / "plates" / "1") / "weights.onnx"
    whole = weights.read_bytes()
    store.mirror(Source(str(models)))
    for _ in range(2):
        weights.write_bytes(whole[:-1])
        mirror = store.mirror(Source(str(models)))
        assert discover_packages(mirror)["plates/1"].weights_path.read_bytes() == whole
    with pytest.raises(ModelPackageError, match="no whole ONNX file"):
        PackageStore(tmp_path / "another").mirror(Source(str(models)))


def test_packages_that_are_all_for_other_runtimes_are_refused(tmp_path: Path, add: Any) -> None:
    for name in ("a", "b"):
        write_package(tmp_path / "many" / name, {"backend_type": "torch"})
    with pytest.raises(ModelSourceError, match="all 2 packages are for other runtimes"):
        add(tmp_path / "many")


def test_a_mirror_of_nothing_is_an_error(tmp_path: Path, store: PackageStore) -> None:
    with pytest.raises(ModelSourceError, match="does not exist"):
        store.mirror(Source(str(tmp_path / "nowhere")))


def test_the_manifest_says_where_a_package_came_from(tmp_path: Path, add: Any, store: PackageStore) -> None:
    folder = write_package(tmp_path / "plates" / "1")
    place = add(folder)[0].package.directory
    manifest = json.loads((place / ".sightline.json").read_text())
    assert manifest["source"] == str(folder)
    assert sorted(manifest["files"]) == sorted(path.name for path in folder.iterdir())
    _, read = store.packages()["plates/1"]
    assert read is not None
    assert read.size_bytes == sum(path.stat().st_size for path in folder.iterdir())
