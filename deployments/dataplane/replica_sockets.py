"""Where the replicas of this machine take calls without Serve: one socket each, named after it."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import ray
import ray._private.worker

from deployments.dataplane.call_socket import CallServer, Method

logger = logging.getLogger(__name__)

LONGEST_PATH_BYTES = 107
"""Of a Unix socket, its last zero left out. Source: unix(7), `sun_path`."""


class DirectlyCalled:
    """A replica that takes calls at a socket of its own beside those that come over Serve."""

    _server: CallServer | None = None

    def listen(self, replica_id: str, *methods: Method) -> None:
        """Take calls at the socket from now on, in the running loop; nothing happens where there can be no socket.

        Args:
            replica_id: of this replica.
            methods: what may be called, under their own names.
        """
        path = socket_path(replica_id)
        if path is not None:
            self._server = CallServer({method.__name__: method for method in methods}, path)

    def __del__(self) -> Awaitable[None] | None:
        """Answer the calls that are here: Serve, which awaits this before it ends a replica, does not know of them."""
        server, self._server = self._server, None  # the collector of garbage calls this again, and awaits nothing
        return None if server is None else server.close()


def path_to(replica_id: str, node_id: str) -> Path | None:
    """Where a replica listens; None to one of another node than this process is on.

    Args:
        replica_id: whose.
        node_id: where it is.
    """
    return socket_path(replica_id) if node_id == ray.get_runtime_context().get_node_id() else None


def socket_path(replica_id: str) -> Path | None:
    """Where a replica of this node listens; None where nobody can.

    The folder is the Ray session's, so that what a killed process leaves goes with the session.
    """
    node: Any = ray._private.worker._global_node  # the folder of the session has no public name
    if node is None:
        return None
    folder = private_folder(Path(node.get_session_dir_path()))
    if folder is None:
        return None
    path = folder / replica_id
    if len(os.fsencode(path)) > LONGEST_PATH_BYTES:
        logger.warning("calls go over Serve's handles: the path of a socket would be too long")
        return None
    return path


def private_folder(parent: Path) -> Path | None:
    """A folder for sockets that this user alone may enter; None where there can be none."""
    folder = parent / "calls"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat(follow_symlinks=False)
    except OSError as error:
        logger.warning("calls go over Serve's handles: no folder for sockets", extra={"error": str(error)})
        return None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        logger.warning("calls go over Serve's handles: others may enter the folder for sockets")
        return None
    return folder
