"""The folder of a run."""

from __future__ import annotations

import os

import pytest

from deployments.cli import launcher
from deployments.cli.launcher import LaunchError, make_run_dir


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "RUN_ROOT", tmp_path)
    return tmp_path


def test_the_folder_is_the_users_alone():
    made = make_run_dir(9001)
    assert made.stat().st_mode & 0o777 == 0o700
    assert made.name == f"sightline-{os.getuid()}-9001"
    assert (made / "logs").is_dir()


def test_what_the_run_before_left_is_removed():
    made = make_run_dir(9001)
    (made / "ray" / "session").mkdir(parents=True)
    (made / "logs" / "router.log").write_text("old")
    (made / "request.json").write_text("{}")
    assert [path.name for path in make_run_dir(9001).iterdir()] == ["logs"]
    assert list((made / "logs").iterdir()) == []


def test_a_link_in_its_place_is_refused_and_not_followed(root, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    (root / f"sightline-{os.getuid()}-9001").symlink_to(precious)
    with pytest.raises(LaunchError, match="belongs to somebody else"):
        make_run_dir(9001)
    assert (precious / "file").read_text() == "kept"


def test_a_link_inside_is_removed_and_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (make_run_dir(9001) / "ray").symlink_to(precious)
    make_run_dir(9001)
    assert precious.is_dir()
