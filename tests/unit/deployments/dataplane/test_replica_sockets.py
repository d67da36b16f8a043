from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray._private.worker

from deployments.dataplane.call_socket import CallConnection
from deployments.dataplane.replica_sockets import LONGEST_PATH_BYTES, DirectlyCalled, private_folder, socket_path


def session(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(ray._private.worker, "_global_node", SimpleNamespace(get_session_dir_path=lambda: str(folder)))


def test_sockets_are_in_a_folder_of_the_session_that_nobody_else_may_enter(monkeypatch, tmp_path):
    session(monkeypatch, tmp_path)
    for _ in range(2):
        assert socket_path("a1b2c3d4") == tmp_path / "calls" / "a1b2c3d4"
    assert os.stat(tmp_path / "calls").st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_enter_is_not_used(tmp_path):
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls").chmod(0o750)
    assert private_folder(tmp_path) is None


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "calls").symlink_to(tmp_path / "elsewhere")
    assert private_folder(tmp_path) is None


def test_where_no_folder_can_be_made_there_are_no_sockets(tmp_path):
    assert private_folder(tmp_path / "missing") is None


def test_a_path_that_no_socket_can_have_is_none(monkeypatch, tmp_path):
    deep = tmp_path / ("d" * (LONGEST_PATH_BYTES - len(str(tmp_path))))
    deep.mkdir()
    session(monkeypatch, deep)
    assert socket_path("a1b2c3d4") is None


class Replica(DirectlyCalled):
    def __init__(self) -> None:
        self.begun, self.gate = asyncio.Event(), asyncio.Event()

    async def wait(self, value: int) -> int:
        self.begun.set()
        await self.gate.wait()
        return value


async def test_a_replica_without_a_session_is_called_by_serve_alone_and_ends_like_any_other(monkeypatch):
    monkeypatch.setattr(ray._private.worker, "_global_node", None)
    replica = Replica()
    replica.listen("a1b2c3d4", replica.wait)
    assert replica._server is None
    assert replica.__del__() is None


async def test_a_replica_ends_when_the_calls_that_serve_knows_nothing_of_are_answered(monkeypatch, tmp_path):
    session(monkeypatch, tmp_path)
    replica = Replica()
    replica.listen("a1b2c3d4", replica.wait)
    _, connection = await asyncio.get_running_loop().create_unix_connection(
        CallConnection, str(tmp_path / "calls" / "a1b2c3d4")
    )
    call = asyncio.create_task(connection.call("wait", 7))
    await replica.begun.wait()
    ending = asyncio.ensure_future(replica.__del__())
    assert await asyncio.wait([call, ending], timeout=0.05) == (set(), {call, ending})
    replica.gate.set()
    assert await call == 7
    await ending
