import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from deployments.storage.api_key import Scope, key_id_of
from deployments.storage.errors import InvalidNameError, NotStoredError
from deployments.storage.key_ring import MAX_AGE_S, KeyRing
from deployments.storage.keys import StoredKeys, create_key, keys_changed_since, list_keys, revoke_key


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


def make(database, scope=Scope.INFER, **told):
    with database.writing() as session:
        return create_key(session, told.pop("workspace", "acme"), scope, now_unix_s=1000.0, **told)


def revoke(database, key_id, now_unix_s=1001.0):
    with database.writing() as session:
        return revoke_key(session, key_id, now_unix_s=now_unix_s)


def ring_over(database, clock):
    return KeyRing(lambda: StoredKeys(database), wall=clock, monotonic=clock)


def test_a_new_database_has_no_keys(database):
    with database.reading() as session:
        assert list_keys(session) == []
        assert keys_changed_since(session, 0) == []


def test_a_key_is_shown_once_and_no_column_holds_it(database):
    key, known = make(database, label="camera 4")
    assert re.fullmatch(r"sl_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", key)
    assert key_id_of(key) == known.key_id
    with database.reading() as session:
        assert list_keys(session, "acme") == [known]
        assert list_keys(session, "bolts") == []
        stored = repr(session.execute(text("SELECT * FROM api_keys")).all())
    assert key.split("_", 2)[2] not in stored
    assert known.matches(key)
    assert not known.matches(key[:-1] + ("A" if key[-1] != "A" else "B"))


@pytest.mark.parametrize("told", [{"workspace": "../x"}, {"label": "x" * 201}, {"expires_unix_s": 1000.0}])
def test_what_makes_no_sense_makes_no_key(database, told):
    with pytest.raises(InvalidNameError):
        make(database, **told)
    with database.reading() as session:
        assert list_keys(session) == []


def test_a_revoked_key_stays_in_the_list_and_revoking_twice_is_as_once(database):
    _, known = make(database)
    revoked = revoke(database, known.key_id)
    assert (revoked.revoked_unix_s, revoked.version) == (1001.0, 2)
    assert revoke(database, known.key_id, now_unix_s=1002.0) == revoked
    with pytest.raises(NotStoredError, match="no key with this id"):
        revoke(database, "0" * 12)


def test_only_what_changed_is_read_again(database):
    _, first = make(database)
    _, second = make(database)
    with database.reading() as session:
        assert keys_changed_since(session, first.version) == [second]
    revoked = revoke(database, first.key_id)
    with database.reading() as session:
        assert keys_changed_since(session, second.version) == [revoked]


async def test_a_ring_finds_keys_by_what_is_stored(database):
    ring = ring_over(database, Clock())
    key, known = make(database)
    assert await ring.find(key) == known
    assert await ring.find(key[:-4] + "AAAA") is None


async def test_a_revoked_key_ends_in_every_process_when_it_looks_again(open_again):
    clock, database = Clock(), open_again()
    rings = [ring_over(open_again(), clock) for _ in range(3)]
    key, known = make(database)
    for ring in rings:
        assert await ring.find(key) is not None
    revoke(database, known.key_id)
    clock.now_s += MAX_AGE_S + 0.1
    for ring in rings:
        assert await ring.find(key) is None


async def test_the_last_use_is_written_and_an_older_one_does_not_replace_it(database):
    clock = Clock()
    key, known = make(database)
    ring = ring_over(database, clock)
    await ring.find(key)
    await ring._noting
    StoredKeys(database).note_use({known.key_id: 999.0})
    with database.reading() as session:
        assert [(row.last_used_unix_s, row.version) for row in list_keys(session)] == [(1000.0, known.version)]


def test_many_who_make_keys_at_once_get_versions_of_their_own(open_again):
    databases = [open_again() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda at: make(databases[at % 4])[1].version, range(12)))
    assert sorted(made) == list(range(1, 13))
