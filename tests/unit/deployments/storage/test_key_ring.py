"""Keys in the memory of a process: how old they may be, and what asking for them costs."""

from __future__ import annotations

import asyncio

import pytest

from deployments.storage.errors import StorageUnavailableError
from deployments.storage.key_ring import FRESH_S, MAX_AGE_S, UNKNOWN_PAUSE_S, USE_NOTED_EVERY_S, KeyRing
from tests.unit.deployments.fake_backend import eventually
from tests.unit.deployments.storage.fake_keys import FakeKeys


class Clock:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys():
    return FakeKeys()


@pytest.fixture
def ring(keys, clock):
    return KeyRing(lambda: keys, wall=clock, monotonic=clock)


async def test_without_keys_there_is_nobody(ring):
    assert await ring.find("sl_0123456789ab_" + "a" * 43) is None


async def test_what_does_not_look_like_a_key_is_not_looked_for(ring, keys):
    assert [await ring.find(text) for text in ("", "None", "password", "sl_1_2")] == [None] * 4
    assert keys.looks == []


async def test_a_key_is_found_and_a_wrong_secret_is_not(ring, keys):
    key = keys.make()
    assert (await ring.find(key)).workspace == "acme"
    assert await ring.find(key[:-4] + "AAAA") is None


async def test_a_known_key_costs_no_look_while_the_last_one_is_fresh(ring, keys, clock):
    key = keys.make()
    for _ in range(1000):
        assert await ring.find(key)
    clock.now_s += FRESH_S
    assert await ring.find(key)
    assert len(keys.looks) == 1


async def test_a_known_key_waits_for_no_look_that_is_under_way(ring, keys, clock):
    key = keys.make()
    await ring.find(key)
    keys.gate.clear()
    clock.now_s += FRESH_S + 0.1
    assert await asyncio.wait_for(ring.find(key), 5)
    assert await asyncio.wait_for(ring.find(key), 5)
    keys.gate.set()
    await eventually(lambda: len(keys.looks) == 2 and ring._looking.done())


async def test_a_revoked_key_ends_at_the_latest_when_what_is_known_is_too_old(ring, keys, clock):
    key = keys.make()
    await ring.find(key)
    keys.revoke(key)
    clock.now_s += MAX_AGE_S
    assert await ring.find(key)  # the last moment; a look begins
    await ring._looking
    assert await ring.find(key) is None


async def test_after_a_pause_nothing_is_decided_without_a_look(ring, keys, clock):
    key = keys.make()
    await ring.find(key)
    keys.revoke(key)
    clock.now_s += MAX_AGE_S + 0.1
    assert await ring.find(key) is None


async def test_a_key_expires_without_any_look(ring, keys, clock):
    key = keys.make(expires_unix_s=1001.0)
    assert await ring.find(key)
    clock.now_s = 1001.0
    assert await ring.find(key) is None
    assert len(keys.looks) == 1


async def test_a_new_key_works_at_once(ring, keys, clock):
    await ring.find(keys.make())
    clock.now_s += UNKNOWN_PAUSE_S
    assert await ring.find(keys.make())


async def test_a_key_made_during_a_look_is_found_by_the_next_one(ring, keys, clock):
    keys.gate.clear()
    first = asyncio.create_task(ring.find(keys.make()))
    await eventually(lambda: len(keys.looks) == 1)
    clock.now_s += 0.1
    second = asyncio.create_task(ring.find(keys.make()))
    await asyncio.sleep(0)
    keys.gate.set()
    assert await first
    assert await second


async def test_many_wrong_keys_cost_few_looks_and_no_memory(keys):
    ring = KeyRing(lambda: keys)
    wrong = [f"sl_{n:012x}_{'a' * 43}" for n in range(500)]
    assert await asyncio.gather(*map(ring.find, wrong)) == [None] * 500
    assert len(keys.looks) <= 2
    assert ring._keys == {}


async def test_revoked_keys_take_no_memory(ring, keys, clock):
    keys.revoke(keys.make())
    key = keys.make()
    await ring.find(key)
    assert list(ring._keys) == [key.split("_")[1]]


async def test_only_what_changed_is_read_again(ring, keys, clock):
    await ring.find(keys.make())
    clock.now_s += UNKNOWN_PAUSE_S
    await ring.find(keys.make())
    assert keys.looks == [0, 1]


async def test_a_source_that_is_away_is_waited_for_no_longer_than_a_revocation_may_take(ring, keys, clock):
    key = keys.make()
    await ring.find(key)
    keys.away = True
    clock.now_s += FRESH_S + 0.1
    assert await ring.find(key)
    await asyncio.wait([ring._looking])
    clock.now_s += MAX_AGE_S
    with pytest.raises(StorageUnavailableError):
        await ring.find(key)
    keys.away = False
    clock.now_s += UNKNOWN_PAUSE_S
    assert await ring.find(key)


async def test_a_key_that_cannot_be_looked_for_is_not_called_wrong(ring, keys, clock):
    await ring.find(keys.make())
    keys.away = True
    clock.now_s += 0.5
    with pytest.raises(StorageUnavailableError):
        await ring.find(keys.make())


async def test_a_source_that_cannot_be_opened_lets_nobody_in(clock):
    def opened():
        raise StorageUnavailableError("no database")

    with pytest.raises(StorageUnavailableError):
        await KeyRing(opened, wall=clock, monotonic=clock).find("sl_0123456789ab_" + "a" * 43)


async def test_the_last_use_is_noted_now_and_then_and_no_request_waits_for_it(ring, keys, clock):
    key = keys.make()
    key_id = key.split("_")[1]
    for _ in range(5):
        await ring.find(key)
    await ring._noting
    assert keys.used == [{key_id: 1000.0}]
    clock.now_s += USE_NOTED_EVERY_S
    await ring.find(key)
    await ring._noting
    assert keys.used == [{key_id: 1000.0}, {key_id: 1060.0}]


async def test_a_use_that_cannot_be_noted_is_no_failure(ring, keys, clock):
    key = keys.make()
    await ring.find(key)
    await ring._noting
    keys.away = True
    clock.now_s += 1.0
    ring._noted.clear()
    assert await ring.find(key)
    await asyncio.wait([ring._noting])
