"""Where the server on a port keeps its endpoints and keys, and a key for its own first request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.control.access import OPEN_WORKSPACE
from deployments.settings import data_directory, database_url_here
from deployments.storage.api_key import Scope
from deployments.storage.database import Database, absolute_url, open_database, sqlite_url
from deployments.storage.keys import create_key, list_keys, revoke_key

FIRST_REQUEST_S = 600.0


def database_url_of(port: int, given: str | None = None) -> str:
    """The database of the server on a port: its endpoints and keys are there again when it starts again.

    Args:
        port: of the server.
        given: what the user says; the environment, then a file called after the port, when None.

    Raises:
        StorageUnavailableError: what is given is no URL.
    """
    url = given or database_url_here()
    return absolute_url(url) if url else sqlite_url(data_directory() / "servers" / f"{port}.db")


@contextmanager
def opened_database(url: str) -> Iterator[Database]:
    """The database at a URL, closed at the end."""
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def key_for_a_while(database_url: str) -> Iterator[str]:
    """A key for one request, revoked at the end; it ends by itself should this process be killed before."""
    with opened_database(database_url) as database:
        with database.writing() as session:
            now_unix_s = time.time()
            key, known = create_key(
                session,
                OPEN_WORKSPACE,
                Scope.INFER,
                now_unix_s=now_unix_s,
                expires_unix_s=now_unix_s + FIRST_REQUEST_S,
                label="the first request of sightline serve",
            )
        try:
            yield key
        finally:
            with database.writing() as session:
                revoke_key(session, known.key_id, now_unix_s=time.time())


def has_live_keys(database_url: str) -> bool:
    """Whether anybody could get in where keys are asked for."""
    with opened_database(database_url) as database, database.reading() as session:
        return any(known.is_live(time.time()) for known in list_keys(session))
