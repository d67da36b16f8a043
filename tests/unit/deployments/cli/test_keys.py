"""`sightline keys`, as scripts use it."""

from __future__ import annotations

import json
import time

import pytest
from typer.testing import CliRunner

from deployments.cli.key_database import database_url_of, has_live_keys, key_for_a_while
from deployments.cli.main import app
from deployments.storage.api_key import digest_of, key_id_of
from deployments.storage.database import open_database, sqlite_url
from deployments.storage.keys import list_keys


@pytest.fixture
def url(tmp_path):
    return sqlite_url(tmp_path / "state.db")


@pytest.fixture
def keys(url, monkeypatch):
    """Runs `sightline keys`; gives what it printed."""
    monkeypatch.delenv("SIGHTLINE_DATABASE_URL", raising=False)

    def run(*arguments, status=0):
        done = CliRunner().invoke(app, ["keys", *arguments, "--database", url])
        assert done.exit_code == status, done.output
        return done

    return run


def stored(url):
    database = open_database(url)
    try:
        with database.reading() as session:
            return list_keys(session)
    finally:
        database.close()


def test_without_keys_the_list_is_empty(keys, url):
    assert keys("list").stdout == ""
    assert json.loads(keys("list", "--json").stdout) == {"keys": []}
    assert not has_live_keys(url)


def test_create_prints_the_key_alone(keys, url):
    done = keys("create", "--workspace", "acme", "--scope", "admin")
    key = done.stdout.removesuffix("\n")
    assert key_id_of(key) is not None
    assert "acme" in done.stderr
    assert key not in done.stderr
    known = stored(url)[0]
    assert (known.workspace, known.scope, known.digest) == ("acme", "admin", digest_of(key))
    assert has_live_keys(url)


def test_a_key_is_for_inference_in_the_workspace_of_open_servers_unless_said_otherwise(keys, url):
    keys("create")
    assert [(known.workspace, known.scope, known.expires_unix_s) for known in stored(url)] == [
        ("default", "infer", None)
    ]


def test_in_json_everything_is_one_object(keys):
    made = json.loads(keys("create", "--label", "camera 4", "--expires", "12h", "--json").stdout)
    assert (made["scope"], made["label"], made["status"]) == ("infer", "camera 4", "live")
    listed = json.loads(keys("list", "--json").stdout)["keys"]
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    revoked = json.loads(keys("revoke", made["key_id"], "--json").stdout)
    assert (revoked["key_id"], revoked["status"]) == (made["key_id"], "revoked")


def test_the_list_is_of_live_keys_unless_all_are_asked_for(keys):
    lasting, taken = (keys("create", "--workspace", name).stdout.strip() for name in ("acme", "bolts"))
    keys("revoke", taken)  # whoever has only the key can take it back too

    def listed(*options):
        return [line.split()[0] for line in keys("list", *options).stdout.splitlines()]

    assert listed() == [key_id_of(lasting)]
    assert listed("--all") == [key_id_of(lasting), key_id_of(taken)]
    assert listed("--all", "--workspace", "bolts") == [key_id_of(taken)]
    assert lasting not in keys("list").output


@pytest.mark.parametrize(
    ("expires", "seconds"),
    [("90d", 90 * 86400), ("12h", 43200), ("30m", 1800), ("2999-01-01T00:00+00:00", 32472144000)],
)
def test_a_key_ends_when_it_is_told_to(keys, url, expires, seconds):
    keys("create", "--expires", expires)
    ends = stored(url)[0].expires_unix_s
    assert ends == seconds if "T" in expires else abs(ends - time.time() - seconds) < 60


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("create", "--workspace", "No Such"), 1, "no name for a workspace"),
        (("create", "--label", "x" * 201), 1, "200 are stored"),
        (("create", "--expires", "soon"), 1, "'soon' is no time"),
        (("create", "--expires", "9999999d"), 1, "is no time"),
        (("create", "--expires", "2001-01-01"), 1, "give a later time"),
        (("revoke", "0123456789ab"), 3, "no key with this id"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_goes_wrong_is_one_line_and_a_status_that_stays(keys, arguments, status, said, form):
    done = keys(*arguments, *form, status=status)
    assert done.stdout == ""
    assert done.stderr.startswith("sightline: ")
    assert said in done.stderr


def test_a_command_line_that_makes_no_sense_has_the_usual_status(keys):
    keys("create", "--scope", "everything", status=2)


def test_a_database_that_is_not_there_has_a_status_of_its_own():
    done = CliRunner().invoke(app, ["keys", "list", "--database", "mysql:nonsense"])
    assert (done.exit_code, done.stdout) == (7, "")


def test_the_servers_database_is_the_one_of_its_port(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("SIGHTLINE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert database_url_of(9001) == sqlite_url(tmp_path / "sightline/servers/9001.db")
    assert database_url_of(9001, "sqlite:///here.db") == sqlite_url(tmp_path / "here.db")
    monkeypatch.setenv("SIGHTLINE_DATABASE_URL", "sqlite:////elsewhere/keys.db")
    assert database_url_of(9001) == "sqlite:////elsewhere/keys.db"
    assert database_url_of(9001, "sqlite:////given.db") == "sqlite:////given.db"


def test_the_key_of_the_first_request_ends_with_it(url):
    with key_for_a_while(url) as key:
        assert [known.is_live(time.time()) for known in stored(url)] == [True]
        assert stored(url)[0].matches(key)
    assert [known.is_live(time.time()) for known in stored(url)] == [False]
