"""Keys as texts, and what they are good for."""

from __future__ import annotations

import hashlib

import pytest

from deployments.storage.api_key import ApiKey, Scope, digest_of, fresh_key, key_id_of

KEY = "sl_0123456789ab_" + "s" * 43


def known(**fields):
    told = {"expires_unix_s": None, "revoked_unix_s": None, "scope": Scope.INFER} | fields
    return ApiKey(
        key_id="0123456789ab",
        digest=hashlib.sha256(KEY.encode()).digest(),
        workspace="acme",
        label="",
        version=1,
        created_unix_s=1000.0,
        last_used_unix_s=None,
        **told,
    )


def test_a_fresh_key_holds_its_id_and_256_random_bits():
    key_id, key = fresh_key()
    assert key_id_of(key) == key_id
    assert len(key.removeprefix(f"sl_{key_id}_")) == 43  # 32 bytes in base64
    assert len({fresh_key()[1] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "other",
    ["", "None", "sl_", "sl_0123456789ab_short", "SL_0123456789ab_" + "a" * 43, "é" * 60, KEY + "\n", KEY + "x"],
)
def test_another_text_is_no_key(other):
    assert key_id_of(other) is None


def test_it_is_known_by_its_digest_alone():
    assert digest_of(KEY) == hashlib.sha256(KEY.encode()).digest()
    assert known().matches(KEY)
    assert not known().matches(KEY[:-1] + "t")
    assert not known().matches("")


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (Scope.INFER, {Scope.INFER}),
        (Scope.MANAGE, {Scope.INFER, Scope.MANAGE}),
        (Scope.ADMIN, {Scope.INFER, Scope.MANAGE, Scope.ADMIN}),
    ],
)
def test_a_scope_holds_those_before_it(scope, may):
    assert {other for other in Scope if known(scope=scope).may(other)} == may


@pytest.mark.parametrize(
    ("fields", "live"),
    [
        ({}, True),
        ({"expires_unix_s": 2000.0}, True),
        ({"expires_unix_s": 1500.0}, False),  # the second in which it ends is not its own
        ({"revoked_unix_s": 1400.0}, False),
        ({"revoked_unix_s": 1400.0, "expires_unix_s": 2000.0}, False),
    ],
)
def test_it_is_good_until_it_ends_or_is_taken_back(fields, live):
    assert known(**fields).is_live(1500.0) is live
