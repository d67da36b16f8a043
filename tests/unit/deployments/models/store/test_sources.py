from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from deployments.models.errors import ModelSourceError
from deployments.models.store import sources
from deployments.models.store.sources import Source, without_credentials


@pytest.mark.parametrize(
    ("text", "name", "file_name"),
    [
        ("s3://bucket/models/plates/2", "plates/2", None),
        ("s3://bucket/models/plates/2/", "plates/2", None),
        ("https://host.example/plates/2/weights.onnx", "plates/2", "weights.onnx"),
        ("https://host.example/best.onnx?X-Amz-Signature=abc", "best", "best.onnx"),
        ("hf://owner/model", "owner/model", None),
        ("file:///models/plates-9.zip", "plates-9", "plates-9.zip"),
        ("/models/plates/2", "plates/2", None),
        ("/models/Best.ONNX", "Best", "Best.ONNX"),
    ],
)
def test_a_source_has_a_name_and_is_a_file_or_a_folder(
    text: str, name: str, file_name: str | None, monkeypatch
) -> None:
    monkeypatch.setattr(sources, "BACKENDS", dict.fromkeys(sources.BACKENDS, "fsspec"))  # whatever is installed
    source = Source(text)
    assert (source.name, source.file_name) == (name, file_name)


def test_a_scheme_that_nothing_opens_is_refused() -> None:
    with pytest.raises(ModelSourceError, match="packages come from a path, or a URL of abfs, az, file"):
        Source("ftp://host.example/a")


def test_what_opens_a_scheme_may_be_missing(monkeypatch) -> None:
    monkeypatch.setattr(sources, "BACKENDS", {"s3": "no_such_module"})
    with pytest.raises(ModelSourceError, match=r"s3 needs no_such_module, which is not installed; .* extra `sources`"):
        Source("s3://bucket/a")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host.example/a", "https://host.example/a"),
        ("https://host.example/a?sig=secret&x=1", "https://host.example/a"),
        ("403, url='https://host.example/a?sig=secret' again", "403, url='https://host.example/a' again"),
        ("is this a question? yes", "is this a question? yes"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("", ""),
    ],
)
def test_credentials_are_never_shown(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_files_are_listed_without_pickles_and_hidden_ones(tmp_path: Path) -> None:
    for name in ("weights.onnx", "deep/weights.onnx.data", ".git/config", "__pycache__/a.json", "best.pt", "deep/.x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    listed = Source(str(tmp_path)).files()
    assert [(file.name, file.size_bytes) for file in listed] == [("deep/weights.onnx.data", 22), ("weights.onnx", 12)]
    assert all(file.version for file in listed)


def test_a_file_that_changes_has_another_version() -> None:
    files = fsspec.filesystem("memory")
    versions = set()
    for content in (b"one", b"two"):
        files.pipe("/sources-test/weights.onnx", content)
        versions.add(Source("memory://sources-test").files()[0].version)
    assert len(versions) == 2


def test_what_is_larger_than_allowed_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "weights.onnx").write_bytes(bytes(100))
    source = Source(str(tmp_path))
    (file,) = source.files()
    with pytest.raises(ModelSourceError, match=r"weights\.onnx is larger than the 99 bytes that are left"):
        source.fetch(file, tmp_path / "target", 99)
    source.fetch(file, tmp_path / "target", 100)
    assert (tmp_path / "target").read_bytes() == bytes(100)


def test_a_transfer_that_breaks_off_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "weights.onnx").write_bytes(bytes(100))
    source = Source(str(tmp_path))
    (file,) = source.files()
    (tmp_path / "weights.onnx").write_bytes(bytes(60))  # shorter than it was listed
    with pytest.raises(ModelSourceError, match=r"of the 100 bytes of weights\.onnx only 60 came"):
        source.fetch(file, tmp_path / "target", 1000)


def test_a_folder_that_does_not_exist_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(ModelSourceError, match="nowhere does not exist"):
        Source(str(tmp_path / "nowhere")).files()
