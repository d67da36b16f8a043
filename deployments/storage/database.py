"""The database: opening it, bringing its tables up to date, and transactions on it.

Everything here blocks; a coroutine calls it in a thread.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from deployments.storage.errors import StorageUnavailableError

SCHEMA_VERSION = "0001"
"""The newest of `migrations/versions`; Alembic is loaded only where the database has another one."""

BUSY_TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 10
# Any number that nobody else uses: PostgreSQL's advisory locks are named by numbers.
MIGRATION_LOCK = 7355608

_OF_THE_CONNECTION = ("OperationalError", "AdminShutdown", "DatabaseError")
_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@\s]*@")


class Database:
    """An open database.

    Attributes:
        url: of the database, without its password: fit for messages.
    """

    def __init__(self, engine: Engine) -> None:
        """Over an engine that `open_database` made."""
        self._engine = engine
        self.url = engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing; it sees one state of the database, and blocks nobody.

        Raises:
            StorageUnavailableError: the database cannot be reached.
        """
        with self._failures_named(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at its end, all of it or, when anything is raised inside, none.

        On SQLite writers come one after another, each seeing what those before it left; on PostgreSQL who reads rows to
        change them locks them.

        Raises:
            StorageUnavailableError: the database cannot be reached.
        """
        with self._failures_named(), Session(self._engine, expire_on_commit=False) as session:
            session.connection(execution_options={"writes": True})
            yield session
            session.commit()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if not _is_of_the_connection(error):
                raise
            raise StorageUnavailableError(f"the database {self.url} does not answer: {_words_of(error)}") from error


def open_database(url: str) -> Database:
    """The database at a URL, its tables made or brought up to date.

    Args:
        url: `sqlite:////absolute/path.db`, or `postgresql://user:password@host/name`.

    Raises:
        StorageUnavailableError: the URL makes no sense, nothing answers there, or a newer version of this program has
            changed the tables.
    """
    engine = create_engine(_checked(url), **_options(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    database = Database(engine)
    try:
        with database._failures_named():
            _bring_up_to_date(engine, database.url)
    except StorageUnavailableError:
        engine.dispose()
        raise
    return database


def absolute_url(url: str) -> str:
    """A URL that means the same in every working directory.

    Raises:
        StorageUnavailableError: it makes no sense.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not parsed.database.startswith((":", "file:")):
        parsed = parsed.set(database=str(Path(parsed.database).absolute()))
    return parsed.render_as_string(hide_password=False)


def sqlite_url(path: Path) -> str:
    """The URL of a file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
        if parsed.get_backend_name() == "postgresql":
            import psycopg  # noqa: F401 - an extra
    except (ArgumentError, NoSuchModuleError) as error:
        shown = _PASSWORD.sub(r"\1:***@", url)[:200]
        raise StorageUnavailableError(
            f"{shown!r} is no database; give sqlite:////path/file.db or postgresql://user@host/name"
        ) from error
    except ImportError as error:
        raise StorageUnavailableError(
            "PostgreSQL needs psycopg, which is not installed; install sightline[postgresql]"
        ) from error
    return parsed


def _checked(url: str) -> URL:
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        _make_file(parsed)
    return parsed


def _make_file(url: URL) -> None:
    """Make the file, for its owner alone: its rows say who may do what. Readers shall not wait for a writer in it."""
    if not url.database or url.database == ":memory:":
        raise StorageUnavailableError("a database in memory is gone with its process; name a file")
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
        # The file remembers its mode. SQLite does not wait for others that change it at the same time, it fails.
        with _alone_in(path.parent), closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except OSError as error:
        raise StorageUnavailableError(f"cannot make the database {path}: {error.strerror}") from error
    except sqlite3.Error as error:
        shown = url.render_as_string(hide_password=True)
        raise StorageUnavailableError(f"the database {shown} does not answer: {error}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep out others who ask the same of a folder, in this process and in any other."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}}
    # A pooled connection may have died with its server: ask before use, it costs one round trip.
    return {"pool_pre_ping": True, "pool_size": 5, "connect_args": {"connect_timeout": CONNECT_TIMEOUT_S}}


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")  # what was answered with success survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns into a writer fails at once when another one is writing; who says so first, waits.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(engine: Engine, shown_url: str) -> None:
    with engine.connect() as connection:
        if _version_of(connection) == SCHEMA_VERSION:
            return
    with engine.connect() as plain:
        connection = plain.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": MIGRATION_LOCK})
            version = _version_of(connection)  # another process may have been faster
            if version != SCHEMA_VERSION:
                _migrate(connection, version, shown_url)


def _version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, version: str | None, shown_url: str) -> None:
    # Half a second of imports, and needed once.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    if version is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError as error:
            raise StorageUnavailableError(
                f"the database {shown_url} has tables of version {version}, which is newer than {SCHEMA_VERSION} "
                "of this program; use the newer program, or another database"
            ) from error
    command.upgrade(config, "head")


def _is_of_the_connection(error: DBAPIError) -> bool:
    """Whether the database is at fault, not what was asked of it."""
    # By name: the errors of two drivers. DatabaseError itself is what SQLite says of a file that is none of its own.
    return error.connection_invalidated or type(error.orig).__name__ in _OF_THE_CONNECTION


def _words_of(error: DBAPIError) -> str:
    return _PASSWORD.sub(r"\1:***@", str(error.orig)).strip().split("\n")[0]
