from __future__ import annotations

import os
from pathlib import Path

import pytest

from deployments.models.package_layouts.manifest import StoredFile
from deployments.models.store import blobs as module
from deployments.models.store.blobs import LEFT_OVER_S, Blobs, described

CONTENT = b"weights"


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def file_of(tmp_path: Path, name: str, content: bytes = CONTENT) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def names(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "blobs").glob("*/*")]


def vanish_once_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another process throws every blob away just after it was seen to be whole."""

    def seen(path: Path) -> StoredFile:
        stored = described(path)
        if path.is_relative_to(tmp_path / "blobs"):
            path.unlink()
        return stored

    monkeypatch.setattr(module, "described", seen)


def test_a_content_is_kept_once_and_taken_by_its_checksum(tmp_path: Path, blobs: Blobs) -> None:
    stored = blobs.keep(file_of(tmp_path, "a"))
    assert blobs.keep(file_of(tmp_path, "b")) == stored
    assert names(tmp_path) == [stored.sha256]
    assert blobs.take(stored, tmp_path / "deep" / "c")
    assert (tmp_path / "deep" / "c").read_bytes() == CONTENT
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino


def test_a_blob_that_vanishes_while_it_is_taken_is_not_here(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = blobs.keep(file_of(tmp_path, "a"))
    vanish_once_described(monkeypatch, tmp_path)
    assert not blobs.take(stored, tmp_path / "b")
    assert not blobs.take(stored, tmp_path / "b")


def test_a_blob_that_vanishes_while_its_content_is_kept_again_costs_no_file(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.keep(file_of(tmp_path, "a"))
    vanish_once_described(monkeypatch, tmp_path)
    stored = blobs.keep(file_of(tmp_path, "b"))
    assert (tmp_path / "b").read_bytes() == CONTENT
    assert names(tmp_path) == [stored.sha256]


def test_what_no_package_has_is_thrown_away(tmp_path: Path, blobs: Blobs) -> None:
    kept, other = blobs.keep(file_of(tmp_path, "a")), blobs.keep(file_of(tmp_path, "b", b"other"))
    assert blobs.collect({kept.sha256}) == other.size_bytes
    assert names(tmp_path) == [kept.sha256]
    assert blobs.collect(set()) == kept.size_bytes
    assert blobs.collect(set()) == 0


def test_what_another_process_is_making_stays_until_nobody_can_be_at_it(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = blobs.keep(file_of(tmp_path, "a"))
    (whole,) = (tmp_path / "blobs").glob("*/*")
    half = whole.with_name(f"{stored.sha256}.4711")
    os.link(whole, half)
    blobs.collect({stored.sha256})
    assert half.exists()
    made_at = half.stat().st_ctime
    monkeypatch.setattr(module.time, "time", lambda: made_at + LEFT_OVER_S)
    blobs.collect({stored.sha256})
    assert names(tmp_path) == [stored.sha256]


def test_what_others_throw_away_meanwhile_does_no_harm(
    tmp_path: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.keep(file_of(tmp_path, "a"))
    listed = list((tmp_path / "blobs").glob("*/*"))
    monkeypatch.setattr(Path, "glob", lambda *_: iter([listed[0].with_name("gone"), *listed]))
    assert blobs.collect(set()) == len(CONTENT)
