import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import deployments.storage.database as module
from deployments.storage.database import SCHEMA_VERSION, open_database, sqlite_url
from deployments.storage.errors import StorageUnavailableError
from deployments.storage.tables import Base
from deployments.storage.workspaces import ensure_workspace, workspaces
from tests.storage import postgresql


def raw_engine(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def test_the_migrations_make_the_tables_that_the_code_declares(database, database_url):
    with raw_engine(database_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_newest_migration_is_the_version_of_the_code():
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_VERSION]


def test_what_is_stored_is_there_when_it_is_opened_again(open_again):
    with open_again().writing() as session:
        ensure_workspace(session, "acme", now_unix_s=1000.0)
        ensure_workspace(session, "acme", now_unix_s=2000.0)
    with open_again().reading() as session:
        assert workspaces(session) == ["acme"]


def test_many_that_open_a_new_one_at_once_make_its_tables_once(open_again):
    together = threading.Barrier(4)

    def open_one(_):
        together.wait()
        with open_again().reading() as session:
            return workspaces(session)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_one, range(4))) == [[]] * 4


def test_processes_that_open_a_new_one_at_once_make_its_tables_once(database_url):
    program = "import sys; from deployments.storage.database import open_database; open_database(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(p.communicate(timeout=120)[1], p.returncode) for p in started] == [("", 0)] * 3


def test_tables_of_a_newer_program_are_left_alone(database, database_url):
    with raw_engine(database_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageUnavailableError, match="version 9999, which is newer than"):
        open_database(database_url)


def test_the_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "new" / "sightline.db"
    open_database(sqlite_url(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "is no database"),
        ("nonsense", "is no database"),
        ("oracledb9://x", "is no database"),
        ("sqlite:///:memory:", "in memory is gone"),
        ("sqlite:////proc/nowhere/a.db", "cannot make the database"),
        ("postgresql://sightline:hushhush@127.0.0.1:1/x", "does not answer"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url, says):
    with pytest.raises(StorageUnavailableError, match=says) as refused:
        open_database(url)
    assert "hushhush" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to have a head of its own" * 10)
    with pytest.raises(StorageUnavailableError, match="file is not a database"):
        open_database(sqlite_url(path))


def test_a_server_that_was_away_is_used_again():
    if reason := postgresql.missing():
        pytest.skip(reason)
    with postgresql.running_server() as server:
        database = open_database(server.new_database())
        with database.writing() as session:
            ensure_workspace(session, "acme", now_unix_s=1000.0)
        server.stop()
        with pytest.raises(StorageUnavailableError, match="does not answer"), database.reading() as session:
            workspaces(session)
        server.start()
        with database.reading() as session:
            assert workspaces(session) == ["acme"]
        database.close()
