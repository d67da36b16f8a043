"""Where Ray's GCS, the memory of a cluster, keeps what it knows, so that another one can go on when it dies."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from deployments.errors import ServingError

REACHED_WITHIN_S = 5.0
DEFAULT_REDIS_PORT = 6379


class GcsStorageError(ServingError):
    """What was asked for is no storage, or does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GcsStorage:
    """One of three, named as in the values of Kubernetes (`gcs.backend`).

    Attributes:
        backend: `none`: a GCS that dies takes the cluster with it; `rocksdb`: files of this run; `redis`: a server.
        redis_host: of the server.
        redis_port: of the server.
    """

    backend: Literal["none", "rocksdb", "redis"] = "none"
    redis_host: str = ""
    redis_port: int = DEFAULT_REDIS_PORT

    @property
    def redis_address(self) -> str:
        """As Ray wants it."""
        return f"{self.redis_host}:{self.redis_port}"

    def check(self) -> None:
        """Refuse a server that does not answer: Ray would wait for it, and say little.

        Raises:
            GcsStorageError: nobody listens there.
        """
        if self.backend != "redis":
            return
        try:
            socket.create_connection((self.redis_host, self.redis_port), timeout=REACHED_WITHIN_S).close()
        except OSError as error:
            raise GcsStorageError(f"no Redis answers at {self.redis_address}: {error}") from error


def read_gcs_storage(text: str) -> GcsStorage:
    """What the text of an option means.

    Raises:
        GcsStorageError: nothing.
    """
    if text == "none":
        return GcsStorage()
    if text == "rocksdb":
        return GcsStorage(backend="rocksdb")
    wrong = GcsStorageError(f"{text!r} is no storage of the GCS; there are: none, rocksdb, redis://host:port")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise wrong from None
    if url.username or url.password:
        raise GcsStorageError("the password of Redis is read from the environment: set REDIS_PASSWORD")
    if url.scheme != "redis" or not url.hostname or url.path.strip("/"):
        raise wrong
    return GcsStorage(backend="redis", redis_host=url.hostname, redis_port=port or DEFAULT_REDIS_PORT)
