from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from deployments.models.errors import ModelSourceError
from deployments.models.store.archives import MOST_MEMBERS, unpack


def archive(path: Path, members: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, **options) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def refusal(path: Path, target: Path, most_bytes: int = 1000) -> str:
    target.mkdir()
    with pytest.raises(ModelSourceError) as caught:
        unpack(path, target, most_bytes, "s3://bucket/a.zip")
    assert caught.value.message.startswith("s3://bucket/a.zip")
    return caught.value.message


def test_files_are_written_where_they_say(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    unpack(
        archive(tmp_path / "a.zip", {"a.txt": b"a", "deep/er/b.txt": b"b" * 99, "empty/": b""}), target, 100, "a.zip"
    )
    assert {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*.txt")} == {
        "a.txt": b"a",
        "deep/er/b.txt": b"b" * 99,
    }


def test_an_empty_archive_gives_nothing(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    unpack(archive(tmp_path / "a.zip", {}), target, 0, "a.zip")
    assert not list(target.iterdir())


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt", "..\\outside.txt"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of the archive" in refusal(archive(tmp_path / "a.zip", {name: b"x"}), tmp_path / "target")
    assert not list(tmp_path.rglob("*outside.txt"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        link = zipfile.ZipInfo("weights.onnx")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    assert "is a link" in refusal(path, tmp_path / "target")


def test_what_unpacks_to_more_than_allowed_is_stopped(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": bytes(600), "b": bytes(600)})
    assert path.stat().st_size < 300
    assert "unpacks to more than it may" in refusal(path, tmp_path / "target")


def test_a_size_that_is_a_lie_does_not_help(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "a.zip", {"a": bytes(50_000)}).read_bytes())
    true_size = (50_000).to_bytes(4, "little")
    assert content.count(true_size) == 2  # before the file, and in the directory at the end
    (tmp_path / "lie.zip").write_bytes(bytes(content).replace(true_size, (10).to_bytes(4, "little")))
    refusal(tmp_path / "lie.zip", tmp_path / "target")
    assert all(path.stat().st_size <= 1000 for path in (tmp_path / "target").iterdir())


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {str(number): b"" for number in range(MOST_MEMBERS + 1)})
    assert "holds 1001 files" in refusal(path, tmp_path / "target")


def test_damage_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.zip", {"a": bytes(range(256))}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-5])
    (tmp_path / "changed.zip").write_bytes(whole.replace(bytes(range(100, 140)), bytes(40)))
    (tmp_path / "text.zip").write_text("no archive")
    for number, name in enumerate(("cut.zip", "changed.zip", "text.zip")):
        assert "is no whole zip archive" in refusal(tmp_path / name, tmp_path / f"target-{number}")


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(archive(tmp_path / "a.zip", {"a": b"x"}).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags, in both headers
        content[content.index(mark) + offset] |= 1
    (tmp_path / "secret.zip").write_bytes(io.BytesIO(bytes(content)).getvalue())
    assert "is encrypted" in refusal(tmp_path / "secret.zip", tmp_path / "target")
